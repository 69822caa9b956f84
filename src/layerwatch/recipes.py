"""Names of recipes -> whole settings: how much is printed, which detectors are trained and how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from layerwatch.records import UsageError

_SMALL = (1e-3, 1e-3)  # rates of generator and critic: five times the examples', for a quarter of the width
PAPER_DEFECTS = ("agglomerate", "foreign_object", "porous", "shift", "striation")  # of Figure 4


@dataclass(frozen=True)
class Amounts:
    """How many virtual jobs are printed for what; many jobs with few layers each."""

    layers: int = 10  # of each job
    healthy_jobs: int = 194  # to fit and to calibrate
    calibration: float = 0.25  # share of them that only the thresholds see
    test_jobs: int = 60  # healthy, only judged
    defective_jobs: int = 24  # of each defect, only judged
    inspected_layers: int = 60  # of the one job that is inspected layer by layer
    severity: float = 4.0  # d' / 10 of each defect
    defects: tuple[str, ...] = PAPER_DEFECTS


@dataclass(frozen=True)
class Recipe:
    """One way through the whole: amounts, settings of each detector by its name, the promised false-alarm rate."""

    name: str
    amounts: Amounts = field(default_factory=Amounts)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    false_alarm_rate: float = 0.01  # of healthy layers
    shown: tuple[str, ...] = ("plan_aware", "pca", "vae", "fanogan")  # detectors that the demo trains


def quick() -> Recipe:
    """Small networks, minutes on two cores: to see the whole idea work."""
    small = {"rates": _SMALL, "levelled": True}
    return Recipe(
        "quick",
        settings={
            "plan_residual": {},
            "plan_aware": {},
            "pca": {},
            "vae": {"width": 0.25, "steps": 1800, "batch": 16, "levelled": True},
            "fanogan": {**small, "gan_steps": 400, "encoder_steps": 400, "tuning_steps": 400},
            "anogan": {**small, "gan_steps": 400, "search_steps": 300},
        },
    )


def cpu() -> Recipe:
    """Networks of 64 px and a quarter of the width: what two cores with bf16 do in some 40 minutes a seed."""
    small = {"rates": _SMALL, "levelled": True, "ema": 0.999}
    gan = {"size": 64, "width": 0.25, "z_dim": 64, "batch": 32, "gan_steps": 6000, **small}
    return Recipe(
        "cpu",
        Amounts(healthy_jobs=500),
        settings={
            "plan_residual": {},
            "plan_aware": {},
            "pca": {},
            "vae": {"size": 64, "width": 0.5, "steps": 3000, "batch": 64, "levelled": True},
            "fanogan": {**gan, "encoder_steps": 4000, "encoder_rate": 1e-3, "tuning_steps": 6000},
            "anogan": {**gan, "search_steps": 500},
        },
    )


def paper() -> Recipe:
    """Table 1 and section 5.1: full sizes, 1500 epochs of 4500 images for the GAN, 300 for the VAE; for a large GPU."""
    gan = {"size": 128, "width": 1.0, "z_dim": 128, "batch": 256, "gan_steps": 27_000}
    return Recipe(
        "paper",
        Amounts(healthy_jobs=500),
        settings={
            "plan_residual": {},
            "plan_aware": {},
            "pca": {},
            "vae": {"size": 64, "width": 1.0, "steps": 21_300, "batch": 64, "rate": 1e-3},
            "fanogan": {**gan, "encoder_steps": 50_000, "encoder_batch": 64, "encoder_rate": 5e-5, "tuning_steps": 0},
            "anogan": {**gan, "search_steps": 3500, "restarts": 1, "tolerance": 0.0},
        },
    )


RECIPES: Mapping[str, Callable[[], Recipe]] = {"quick": quick, "cpu": cpu, "paper": paper}


def recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in RECIPES:
        raise UsageError(f"no recipe {name!r}; there are: {', '.join(RECIPES)}")
    return RECIPES[name]()
