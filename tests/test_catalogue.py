from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from layerwatch import catalogue
from layerwatch.records import UsageError


def test_every_thing_on_every_shelf_loads_and_describes_itself() -> None:
    for shelf in catalogue.shelves():
        assert catalogue.names(shelf), f"{shelf} is empty"
        for name in catalogue.names(shelf):
            thing = catalogue.load(shelf, name)
            assert thing.summary
            assert thing.source
            assert catalogue.caption(shelf, name)
            assert thing.__name__.lower() == name.replace("_", "")


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"no 'magic' among detectors; there are: .*fanogan.*vae"):
        catalogue.load("detectors", "magic")
    with pytest.raises(UsageError, match="no shelf 'cellar'"):
        catalogue.names("cellar")


def test_an_outside_package_joins_through_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint(name="rust", value="fractions:Fraction", group="layerwatch.job.defects")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: EntryPoints([entry]).select(group=group))
    assert "rust" in catalogue.names("job.defects")
    assert catalogue.load("job.defects", "rust") is sys.modules["fractions"].Fraction
