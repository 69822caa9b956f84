"""Whoever does the work, every item is done once, errors come out, and a dead worker costs only what it held."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.journeys.test_cli import box

from layerwatch import catalogue
from layerwatch.crew.base import Crew
from layerwatch.crew.inline import Inline
from layerwatch.crew.processes import Processes
from layerwatch.job.machine import default_machine
from layerwatch.journeys.synthesise import Wish, synthesise
from layerwatch.records import DataError

CREWS = [Inline(), Processes(1), Processes(2)]
ITEMS = [f"item-{number}" for number in range(9)]


def length(item: str) -> int:
    return len(item)


def fails(item: str) -> int:
    if item == "item-4":
        raise DataError("item-4 is broken")
    return 0


@dataclass(frozen=True)
class Dies:
    """Kills its own process at one item, the first time only."""

    mark: Path

    def __call__(self, item: str) -> str:
        if item == "item-3" and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item.upper()


def test_every_crew_on_the_shelf_is_tested_here() -> None:
    assert catalogue.names("crew") == ("inline", "processes")


@pytest.mark.parametrize("crew", CREWS, ids=str)
def test_every_item_is_done_once(crew: Crew) -> None:
    assert sorted(crew.each(length, ITEMS)) == [(item, 6) for item in ITEMS]
    assert list(crew.each(length, [])) == []


@pytest.mark.parametrize("crew", CREWS, ids=str)
def test_an_error_of_the_work_comes_out(crew: Crew) -> None:
    with pytest.raises(DataError, match="item-4 is broken"):
        list(crew.each(fails, ITEMS))


def test_a_killed_worker_costs_only_what_it_held(tmp_path: Path) -> None:
    found = sorted(Processes(2).each(Dies(tmp_path / "mark"), ITEMS))
    assert found == [(item, item.upper()) for item in ITEMS]


def test_any_number_of_workers_writes_the_same_bytes(tmp_path: Path) -> None:
    part, wish = box(tmp_path / "block.stl", 300.0, 200.0, 12.0), Wish(healthy=3, defective=1, layers=3)
    written = []
    for number, crew in enumerate(CREWS):
        out = tmp_path / str(number)
        synthesise([part], out, default_machine(), wish, crew=crew)
        written.append({p.relative_to(out): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()})
    assert written[0] == written[1] == written[2]
    assert len(written[0]) > 50
