"""Times of training steps: in turn, by the difference of two lengths."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerwatch.detectors.pca import Pca
from layerwatch.detectors.vae import Vae
from layerwatch.job.machine import default_machine
from layerwatch.journeys.reproduction import step_times
from layerwatch.journeys.reproduction.protocol import quick
from layerwatch.journeys.reproduction.step_times import estimated, seconds_a_step, step_keys
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.synthesise import crew_of

COST = {"gan_steps": 0.5, "encoder_steps": 0.25}  # s of one step
OVERHEAD = 3.0


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    asked: list[str] = []

    def trained(shop: Workshop, network: object, key: str, steps: int, images: object) -> float:
        asked.append(str(network))
        others = sum(10 * cost for other, cost in COST.items() if other != key)
        return OVERHEAD + others + steps * COST[key] * (2 if "n_critic=5" in str(network) else 1)

    monkeypatch.setattr(step_times, "_trained", trained)
    monkeypatch.setattr(Workshop, "healthy", lambda self, seed, learn: type("Healthy", (), {"fit": ()})())
    return Workshop(quick(), (), default_machine(), tmp_path, crew_of("processes", 1))


def test_what_every_training_needs_is_not_taken_for_steps(shop: Workshop) -> None:
    three, five = shop.network("fanogan", 0), shop.network("fanogan", 0, "n_critic=5")
    assert seconds_a_step(shop, [three, five], "gan_steps", rounds=2) == [[0.5, 0.5], [1.0, 1.0]]


def test_a_training_is_estimated_from_all_its_parts(shop: Workshop) -> None:
    network = shop.network("fanogan", 0)
    settings = vars(shop.untrained(network))
    assert settings["tuning_steps"] == 0  # not the paper's, and not timed
    wanted = sum(cost * settings[key] for key, cost in COST.items())
    assert estimated(shop, network) == pytest.approx(wanted)


def test_only_what_is_trained_by_steps_has_steps() -> None:
    assert step_keys(Vae()) == ("steps",)
    assert step_keys(Pca()) == ()
