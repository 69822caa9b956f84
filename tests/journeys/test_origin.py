"""Figures that are kept know the code and the settings that made them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from layerwatch import catalogue
from layerwatch.crew.base import Crew
from layerwatch.job.machine import default_machine
from layerwatch.journeys.reproduction import origin, table, workshop
from layerwatch.journeys.reproduction.origin import code_mark, module_of
from layerwatch.journeys.reproduction.protocol import quick
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.synthesise import crew_of


@pytest.fixture
def shop(tmp_path: Path) -> Workshop:
    crew: Crew = crew_of("processes", 1)
    return Workshop(quick(), (), default_machine(), tmp_path, crew)


def seven() -> int:
    return 7


def test_the_maker_of_a_figure_is_the_module_of_its_function() -> None:
    assert module_of(partial(partial(seven))) == __name__


def test_a_mark_reaches_what_is_imported_within_the_rooms_that_count() -> None:
    reached = {path.name for path in origin._reached(Path(table.__file__))}
    assert {"table.py", "workshop.py", "tables.py", "components.py", "metrics.py"} <= reached
    assert not {"claims.py", "vae.py", "score_figures.py"} & reached  # pictures and networks do not decide a table


def test_comments_do_not_count_and_code_does(tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    marks = []
    for text in ("x = 1\n", "x = 1  # as before\n\n", "x = 2\n"):
        file.write_text(text)
        marks.append(origin._code(file))
    assert marks[0] == marks[1] != marks[2]


def test_a_cluster_method_that_joins_the_shelf_changes_every_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_mark.__wrapped__(table.__name__)
    assert before == code_mark.__wrapped__(table.__name__)
    names = catalogue.names
    monkeypatch.setattr(catalogue, "names", lambda shelf: (*names(shelf), "newcomer"))
    assert code_mark.__wrapped__(table.__name__) != before


def test_a_figure_is_made_once_and_again_where_its_origin_differs(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    assert [shop.remembered("one", make) for _ in range(2)] == [0, 0]
    kept = json.loads((shop.folder / "figures" / "one.json").read_text())
    assert set(kept["origin"]) == {"layerwatch", "code", "settings"}
    other = replace(shop, protocol=replace(shop.protocol, each=3))
    assert other.remembered("one", make) == 1  # other settings
    assert other.remembered("one", make) == 1
    monkeypatch.setattr(workshop, "code_mark", lambda module: "another commit")
    assert other.remembered("one", make) == 2  # other code


@pytest.mark.parametrize("text", ["[1, 2]", '{"figure": 5}', "{", "7"])
def test_what_was_kept_without_an_origin_is_made_anew(shop: Workshop, text: str) -> None:
    path = shop.folder / "figures" / "old.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert shop.remembered("old", seven) == 7
    assert json.loads(path.read_text())["figure"] == 7
