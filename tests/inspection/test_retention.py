"""Retention: old pictures go, the least telling first; nothing unjudged or pinned ever does (R13)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal import retention
from layerwatch.inspection.journal.database import open_engine
from layerwatch.inspection.journal.entries import AlarmEntry, Entry, Outcome
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.retention import Expired, Retention, expire, orphans
from layerwatch.inspection.journal.tables import conflicts, frames, metadata, verdicts
from layerwatch.inspection.messages import Message
from layerwatch.inspection.spool import Spool, StorageError
from layerwatch.records import Verdict

DAY = 86400.0
NOW = 1000 * DAY
SIZE = 100_000  # bytes of a frame


@dataclass(frozen=True)
class Story:
    """What became of one frame."""

    job: str
    days: float  # ago
    word: str  # empty: it waits
    twice: bool = False  # it came again with other pixels
    heat: bool = False


STORIES = st.lists(
    st.builds(
        Story,
        st.sampled_from(["a", "b", "c"]),
        st.floats(0, 500, allow_subnormal=False),
        st.sampled_from(["", "OK", "OK", "NOK", "FAULT"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
)


def live(spool: Spool, engine: Engine, stories: list[Story], alarmed: frozenset[str]) -> None:
    """Let the stories happen, the oldest first."""
    journal = Journal(engine)
    for layer, story in enumerate(stories):
        identity, when = Identity("P1", story.job, layer), NOW - story.days * DAY
        one = Delivery(identity, bytes([layer]) * SIZE, ".png", "x")
        number = journal.receive(one, spool.keep(one), when).frame
        if story.twice:
            other = Delivery(identity, bytes([100 + layer]) * SIZE, ".png", "x")
            journal.receive(other, spool.keep(other), when)
        if story.word:
            heat = spool.keep_heat(identity, b"heat") if story.heat else ""
            entry = Entry(Verdict(story.job, layer, story.word), number, heat=heat)  # type: ignore[arg-type]
            journal.record(Outcome("P1", story.job, (entry,), (), (Message("verdict", {}),)), when)
    for number, job in enumerate(sorted(alarmed)):
        alarm = AlarmEntry(number, "defect", "minor", {}, True, {})
        journal.set_alarm("P1", job, alarm, Message("alarm", {}))


def files(spool: Spool) -> set[str]:
    return {path.relative_to(spool.folder).as_posix() for path in spool.folder.rglob("*.*") if path.is_file()}


def named(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        columns = (frames.c.path, conflicts.c.path, verdicts.c.heat)
        return {place for one in columns for place in connection.execute(select(one)).scalars()} - {""}


def layers_of(places: set[str]) -> set[int]:
    return {int(Path(place).name[:6]) for place in places}


def room(spool: Spool, disk: float) -> Callable[[], int]:
    """Free bytes of a disk of that size that holds nothing but the spool."""
    return lambda: int(disk - sum((spool.folder / place).stat().st_size for place in files(spool)))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("retention") / "empty.db"
    engine = open_engine(f"sqlite:///{file}")
    metadata.create_all(engine)
    engine.dispose()
    return str(file)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    stories=STORIES,
    alarmed=st.frozensets(st.sampled_from(["a", "b", "c"]), max_size=2),
    rules=st.builds(Retention, st.floats(0, 100), st.floats(0, 400), st.sampled_from([0.0, 0.0005, 0.001, 1.0])),
)
@example([Story("a", 400, "OK", True), Story("a", 1, "NOK"), Story("b", 2, "OK")], frozenset("b"), Retention(free_gb=1))
def test_nothing_unjudged_or_pinned_ever_goes(
    database: str, stories: list[Story], alarmed: frozenset[str], rules: Retention
) -> None:
    with TemporaryDirectory() as folder:
        shutil.copy(database, f"{folder}/journal.db")
        engine = open_engine(f"sqlite:///{folder}/journal.db")
        spool = Spool(Path(folder) / "data")
        live(spool, engine, stories, alarmed)
        before = files(spool)
        free = room(spool, disk=2e6)
        done = expire(engine, spool, rules, NOW, free)
        after = files(spool)
        assert named(engine) == after  # each row's file is there, each file has its row
        assert done.files == len(before - after)
        check(stories, alarmed, rules, before, after, free() >= rules.free_gb * 1e9)
        assert expire(engine, spool, Retention(1e9, 1e9, 0), NOW, free) == Expired()
        engine.dispose()


def check(
    stories: list[Story],
    alarmed: frozenset[str],
    rules: Retention,
    before: set[str],
    after: set[str],
    has_room: bool,
) -> None:
    gone = before - after
    is_ok = {i for i, one in enumerate(stories) if one.word == "OK" and not one.twice}
    may_go = {i for i, one in enumerate(stories) if one.word and one.job not in alarmed}
    kept = {i for i, one in enumerate(stories) if one.days < (rules.ok_days if i in is_ok else rules.nok_days) - 1e-6}
    assert layers_of(gone) <= may_go
    assert not layers_of(gone) & layers_of(after)  # a layer's pictures go together
    too_old = {i for i in may_go if stories[i].days > (rules.ok_days if i in is_ok else rules.nok_days) + 1e-6}
    assert too_old <= layers_of(gone)
    if layers_of(gone) & kept - is_ok:
        assert not layers_of(after) & may_go & is_ok  # evidence goes for want of room only, and after all that is OK
    assert has_room or not layers_of(after) & may_go


def test_a_late_frame_that_still_waits_never_goes(file_engine: Engine, tmp_path: Path) -> None:
    spool, journal = Spool(tmp_path / "data"), Journal(file_engine)
    missing = Entry(Verdict("a", 1, "FAULT"), None, "missing")
    journal.record(Outcome("P1", "a", (missing,), (), (Message("verdict", {}),)), 0.0)
    late = Delivery(Identity("P1", "a", 1), b"x", ".png", "x")
    assert journal.receive(late, spool.keep(late), 0.0).word == "late"
    assert expire(file_engine, spool, Retention(0, 0, 1), NOW, lambda: 0) == Expired()


def test_no_more_goes_than_there_is_need_for(file_engine: Engine, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "data")
    live(spool, file_engine, [Story("a", 9 - day, "OK") for day in range(9)], frozenset())
    done = expire(file_engine, spool, Retention(30, 365, 0.00035), NOW, room(spool, 9 * SIZE + 100_000))
    assert done == Expired(3, 3 * SIZE)
    assert layers_of(files(spool)) == set(range(3, 9))


def test_a_file_that_two_rows_share_stays_until_both_let_go(file_engine: Engine, tmp_path: Path) -> None:
    spool, journal = Spool(tmp_path / "data"), Journal(file_engine)
    for days, layer in ((50, 1), (5, 2)):
        one = Delivery(Identity("P1", "a", layer), b"x", ".png", "x")
        shared = spool.keep(Delivery(Identity("P1", "a", 0), b"x", ".png", "x"))
        number = journal.receive(one, shared, NOW - days * DAY).frame
        entry = Entry(Verdict("a", layer, "OK"), number)
        journal.record(Outcome("P1", "a", (entry,), (), (Message("verdict", {}),)))
    assert expire(file_engine, spool, Retention(30, 365, 0), NOW, lambda: 0) == Expired()
    assert spool.read(shared.path) == b"x"
    assert expire(file_engine, spool, Retention(1, 365, 0), NOW, lambda: 0) == Expired(1, 1)


def test_the_row_lets_go_before_the_file_does(
    file_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "data")
    live(spool, file_engine, [Story("a", 50, "OK"), Story("a", 1, "OK")], frozenset())

    def crash(*_: object) -> Expired:
        raise KeyboardInterrupt

    monkeypatch.setattr(retention, "_unlinked", crash)
    with pytest.raises(KeyboardInterrupt):
        expire(file_engine, spool, Retention(), NOW, lambda: 10**12)
    (left,) = orphans(file_engine, spool, settled=0)
    assert left not in named(file_engine)
    assert len(named(file_engine)) == 1


def test_a_file_that_cannot_be_removed_is_told_and_no_more_rows_let_go(
    file_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path / "data")
    live(spool, file_engine, [Story("a", 2 - day, "OK") for day in range(2)], frozenset())

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StorageError, match="cannot be removed"):
        expire(file_engine, spool, Retention(30, 365, 1), NOW, lambda: 10**9 - 1)
    assert len(named(file_engine)) == 1


def test_a_frame_that_is_on_its_way_is_no_orphan_yet(file_engine: Engine, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "data")
    place = spool.keep(Delivery(Identity("P1", "a", 1), b"x", ".png", "x")).path
    assert orphans(file_engine, spool) == ()
    os.utime(spool.path(place), (1.0, 1.0))
    assert orphans(file_engine, spool) == (place,)


def test_the_same_rules_on_both_databases(engine: Engine, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "data")
    stories = [Story("a", 50, "OK", heat=True), Story("a", 50, "NOK"), Story("b", 50, "OK"), Story("c", 50, "")]
    live(spool, engine, [*stories, Story("a", 50, "OK", True)], frozenset("b"))
    assert expire(engine, spool, Retention(), NOW, lambda: 10**12).files == 2
    assert layers_of(files(spool)) == {1, 2, 3, 4}
    with engine.begin() as connection:
        connection.execute(delete(frames).where(frames.c.job == "c"))
    assert layers_of(set(orphans(engine, spool, settled=0))) == {3}
