"""Naming: what a pattern writes it reads back; what is missing, doubtful or contradictory is said, never guessed."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwatch.images.naming import UNKNOWN_LAYER, Identity, Naming, Pattern
from layerwatch.records import DataError, Picture, UsageError

FULL = "{printer}_{job}_L{layer}_{phase}_{time:%Y%m%dT%H%M%S}"
WORD = st.text("abcdefgh0123456789-", min_size=1, max_size=8)


@given(WORD, WORD, st.integers(0, 99999), WORD, st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))
@settings(max_examples=100, deadline=None)
def test_what_a_pattern_writes_it_reads_back(printer: str, job: str, layer: int, phase: str, time: datetime) -> None:
    time = time.replace(microsecond=0)
    name = f"{printer}_{job}_L{layer:05d}_{phase}_{time:%Y%m%dT%H%M%S}.tiff"
    assert Pattern(FULL).identity(Path(name)) == Identity(printer, job, layer, phase, time)


@given(st.text("ab_", min_size=1, max_size=6), st.text("ab_", min_size=1, max_size=6))
def test_one_way_is_read_and_several_are_refused(a: str, b: str) -> None:
    told = f"{a}_{b}"
    ways = [n for n in range(1, len(told) - 1) if told[n] == "_"]
    if len(ways) == 1:
        assert Pattern("{printer}_{job}").identity(Path(told)) == Identity(told[: ways[0]], told[ways[0] + 1 :])
    else:
        with pytest.raises(DataError, match="in more than one way"):
            Pattern("{printer}_{job}").identity(Path(told))


def test_folders_may_belong_to_the_pattern() -> None:
    found = Pattern("{job}/{phase}/{layer}").identity(Path("/data/line 2/core-7/printed/00012.png"))
    assert found == Identity(job="core-7", layer=12, phase="printed")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("frame", "give some of {printer}"),
        ("{layer}{layer}", "each once at most"),
        ("{shift}", "give some of"),
        ("{layer", "give some of"),
        ("{layer}{", "a brace without its partner"),
        ("{time:%c}", "%c is not read"),
        ("{job:%d}", "only a time has a form"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Pattern(pattern).check()


def test_what_is_missing_makes_a_frame_unidentified() -> None:
    found = Naming(Pattern("{job}_L{layer}")).identify(Path("core_L7.png"))
    assert found.identity == Identity(job="core", layer=7)
    assert found.fault is not None
    assert (found.fault.kind, found.fault.job, found.fault.layer) == ("unidentified", "core", 7)
    assert found.fault.evidence == "not known: printer, phase, time"
    nothing = Naming(Pattern("{job}_L{layer}")).identify(Path("IMG_0007.png"))
    assert nothing.identity == Identity()
    assert nothing.fault is not None
    assert nothing.fault.layer == UNKNOWN_LAYER
    assert "does not fit the pattern" in nothing.fault.evidence
    assert Naming(Pattern("{job}_L{layer}"), needed=("job", "layer")).identify(Path("core_L7.png")).fault is None


def test_the_sidecar_wins_over_the_name_and_the_name_over_the_tags(tmp_path: Path) -> None:
    path = tmp_path / "p1_core_L7.png"
    picture = Picture(
        np.zeros((8, 8), np.uint8),
        "grey",
        datetime(2026, 1, 2, 3, 4, 5),
        {"ImageDescription": json.dumps({"phase": "printed", "job": "other", "layer": 9})},
    )
    naming = Naming(Pattern("{printer}_{job}_L{layer}"))
    found = naming.identify(path, picture)
    assert found.identity == Identity("p1", "core", 7, "printed", datetime(2026, 1, 2, 3, 4, 5))
    assert found.fault is None
    assert found.contradictions == ("job: name says core, tags says other", "layer: name says 7, tags says 9")
    (tmp_path / "p1_core_L7.json").write_text(json.dumps({"layer": 8, "time": "2026-01-02T03:04:30"}))
    found = naming.identify(path, picture)
    assert (found.identity.layer, found.identity.time) == (8, datetime(2026, 1, 2, 3, 4, 30))
    assert [text.partition(":")[0] for text in found.contradictions] == ["job", "layer", "layer", "time"]


def test_times_are_compared_only_where_both_have_a_zone(tmp_path: Path) -> None:
    path, moment = tmp_path / "a.png", datetime(2026, 1, 2, 3, 4, 5)
    for told, zone, differ in (
        (moment + timedelta(seconds=1), None, False),
        (moment + timedelta(seconds=9), None, True),
        (moment + timedelta(hours=9), UTC, False),
    ):
        (tmp_path / "a.json").write_text(json.dumps({"time": told.isoformat()}))
        picture = Picture(np.zeros((8, 8), np.uint8), "grey", moment.replace(tzinfo=zone))
        assert bool(Naming().identify(path, picture).contradictions) == differ


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be used"),
        ("[]", "no object"),
        ('{"layer": -3}', "no number of a layer"),
        ('{"layer": true}', "no number of a layer"),
        ('{"layer": 1.5}', "no number of a layer"),
        ('{"job": 7}', "no name"),
        ('{"time": "soon"}', "no date"),
        ('{"time": 1e300}', "no date"),
        ("[" * 60000, "cannot be used"),
        (" " * 70000, "more than 65,536 bytes"),
    ],
)
def test_a_broken_sidecar_is_never_passed_over(tmp_path: Path, content: str, message: str) -> None:
    """The source that would win cannot be read, so nobody knows whether the others are right."""
    (tmp_path / "core_L7.json").write_text(content)
    found = Naming(Pattern("{job}_L{layer}"), needed=("job", "layer")).identify(tmp_path / "core_L7.png")
    assert found.fault is not None
    assert message in found.fault.evidence
    assert found.unusable


@given(st.text(max_size=40), st.sampled_from([FULL, "{job}{layer}", "{printer}-{job}-{layer}-{phase}"]))
@settings(max_examples=200, deadline=None)
def test_any_name_is_read_or_refused(name: str, pattern: str) -> None:
    with suppress(DataError):
        assert Pattern(pattern).identity(Path(f"x{name}".replace("\0", ""))).known


@pytest.mark.parametrize("job", ["../../h", "/abs", "a/b", "a\\b", ".", "..", " . ", "x" * 300])
def test_a_job_that_would_lead_elsewhere_is_none(tmp_path: Path, job: str) -> None:
    frame = tmp_path / "j" / "00200.tiff"
    frame.parent.mkdir()
    frame.with_suffix(".json").write_text(json.dumps({"job": job, "layer": 3}))
    found = Naming(Pattern("{job}/{layer}"), ("job", "layer")).identify(frame)
    assert found.fault is not None
    assert found.fault.kind == "unidentified"
    assert found.identity.job != job
