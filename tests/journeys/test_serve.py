"""The service of a virtual printer: killed and started again, and what it refuses."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from layerwatch.cli import main
from layerwatch.inspection.story import Story
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.machine_choice import machine_for
from layerwatch.journeys.serve import serve_demo
from layerwatch.journeys.serve_site import PlanFolder
from layerwatch.journeys.serving.virtual_plant import PlantWish
from layerwatch.records import UsageError
from tests.journeys.serve_killed import killed_and_resumed


def wish(layers: int = 40, fault: str = "frozen") -> PlantWish:
    part = example_parts()[0]
    machine, _ = machine_for([part], None)
    return PlantWish(part, machine, layers, fault=fault)


def test_killed_in_the_middle_it_has_every_layer_once_and_one_alarm(tmp_path: Path) -> None:
    told = killed_and_resumed(tmp_path / "data", 40, 200)
    assert told["pass"], told


def test_a_second_process_rebuilds_the_story_from_messages(tmp_path: Path) -> None:
    served = serve_demo(wish(), tmp_path / "data", speed=1e4, quiet=True)
    assert served.counts["verdicts"] == 40
    lines = next((tmp_path / "data" / "messages").rglob("virtual-job/messages.jsonl")).read_text(encoding="utf-8")
    story = Story("virtual-job", "virtual-printer")
    for line in lines.splitlines():
        story.take(json.loads(line))
    assert len(story.layers) == 40
    causes = sorted(str(alarm["cause"]) for alarm in story.as_json()["alarms"])
    assert causes == ["defect", "fault"]
    rows = (tmp_path / "data/jobs/virtual-printer/virtual-job/unpack.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("part,word")
    assert sum(",NOK," in row for row in rows) == 1
    picture = next(path for path in served.files if path.suffix == ".png")
    assert picture.read_bytes()[:4] == b"\x89PNG"
    plans = tmp_path / "data/plans"
    assert len([one for one in plans.rglob("*.png") if one.stem.isdigit()]) == 40
    planned = PlanFolder(plans).planned("virtual-job", 1 + min(int(one.stem[:5]) for one in plans.rglob("*.png")))
    assert planned is not None
    assert planned.plan.any()
    again = serve_demo(wish(), tmp_path / "data", speed=1e4, quiet=True)
    assert again.counts["verdicts"] == 40


@pytest.mark.parametrize(("layers", "speed"), [(5, 1.0), (40, 0.0)])
def test_what_makes_no_sense_is_refused(tmp_path: Path, layers: int, speed: float) -> None:
    with pytest.raises(UsageError, match="--"):
        serve_demo(wish(layers), tmp_path, speed=speed)
    assert not list(tmp_path.iterdir())


def test_without_a_service_there_is_no_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["layerwatch", "doctor", "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


def test_without_its_packages_the_service_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "layerwatch.journeys.look_after", None)
    monkeypatch.setattr(sys.modules["layerwatch.cli.app"], "_SERVE", ("layerwatch",))
    monkeypatch.setattr("sys.argv", ["layerwatch", "doctor", "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "layerwatch[serve]" in capsys.readouterr().err
