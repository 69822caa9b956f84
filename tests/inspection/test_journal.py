"""The journal on both databases: each thing once, whole or not at all, in its order (R10, R14, R15)."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert

from layerwatch.inspection import failpoints
from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal import database
from layerwatch.inspection.journal.database import checked, journal_mode, mode_of, open_engine
from layerwatch.inspection.journal.entries import AlarmEntry, Entry, Outcome
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.tables import frames, jobs
from layerwatch.inspection.journal.upgrading import bring_up
from layerwatch.inspection.messages import Message
from layerwatch.inspection.spool import Spooled
from layerwatch.records import UsageError, Verdict


def delivery(layer: int, job: str = "job", printer: str = "P1", **more: str) -> Delivery:
    return Delivery(Identity(printer, job, layer, **more), b"bytes", ".png", f"{layer}.png")


def spooled(content: str = "a", place: str = "") -> Spooled:
    return Spooled(place or f"frames/{content}.png", content * 64, 5)


def receive(journal: Journal, layer: int, content: str = "a", job: str = "job", now: float = 1.0) -> tuple[str, int]:
    receipt = journal.receive(delivery(layer, job), spooled(content), now)
    return receipt.word, receipt.frame


def told(journal: Journal) -> list[Message]:
    """All but that jobs began."""
    return [message for message in journal.told() if message.kind != "job"]


def said(layer: int, word: str = "OK") -> Message:
    return Message("verdict", {"layer": layer, "word": word}, "P1", "job")


def judge(journal: Journal, frame: int | None, layer: int, word: str = "OK", **more: object) -> tuple[int, ...]:
    entry = Entry(Verdict("job", layer, word), frame, **more)  # type: ignore[arg-type]
    return journal.record(Outcome("P1", "job", (entry,), (), (said(layer, word),)), 2.0)


def alarm(number: int = 1, level: str = "minor", *, is_open: bool = True) -> AlarmEntry:
    return AlarmEntry(number, "defect", level, {"at": "raised"}, is_open, {"text": "look"})


def test_a_frame_is_new_once_and_a_duplicate_ever_after(journal: Journal) -> None:
    word, number = receive(journal, 3)
    assert word == "new"
    assert [receive(journal, 3), receive(journal, 3)] == [("duplicate", number)] * 2
    assert journal.counts()["frames waiting"] == 1
    assert journal.has(Identity("P1", "job", 3))
    assert not journal.has(Identity("P1", "job", 4))


def test_what_differs_in_any_part_of_its_name_is_another_frame(journal: Journal) -> None:
    others = [delivery(1), delivery(2), delivery(1, "b"), delivery(1, printer="P2"), delivery(1, phase="x")]
    words = [journal.receive(one, spooled(), 1.0).word for one in (*others, delivery(1, shot="x"))]
    assert words == ["new"] * 6


def test_other_pixels_of_one_name_are_kept_beside_and_said_once(journal: Journal) -> None:
    _, number = receive(journal, 3)
    assert [receive(journal, 3, "b"), receive(journal, 3, "b")] == [("conflict", number)] * 2
    assert [message.body["event"] for message in told(journal)] == ["conflict"]
    assert journal.counts()["conflicts"] == 1
    assert journal.waiting("P1")[0].sha256 == "a" * 64
    assert receive(journal, 3, "c") == ("conflict", number)
    assert journal.counts()["conflicts"] == 2
    assert list(journal.pending("line", 9.0, 9)) == told(journal)


def test_the_first_frame_of_a_job_says_that_it_began(journal: Journal) -> None:
    for layer in (1, 2, 2):
        receive(journal, layer)
    assert [message.body["event"] for message in journal.told() if message.kind == "job"] == ["began"]


def test_a_frame_of_a_layer_counted_as_missing_is_late_and_judged_after_all(journal: Journal) -> None:
    judge(journal, None, 5, "FAULT", fault="missing")
    assert not journal.has(Identity("P1", "job", 5))
    word, number = receive(journal, 5)
    assert word == "late"
    assert [one.number for one in journal.waiting("P1")] == [number]
    judge(journal, number, 5)
    assert [(one.layer, one.word) for one in journal.verdicts_of("P1", "job")] == [(5, "OK")]
    assert receive(journal, 5) == ("duplicate", number)


def test_a_missing_layer_never_overwrites_a_frame_that_came(journal: Journal) -> None:
    _, waiting = receive(journal, 5)
    _, judged = receive(journal, 6)
    judge(journal, judged, 6)
    for layer in (5, 6):
        judge(journal, None, layer, "FAULT", fault="missing")
    assert [one.number for one in journal.waiting("P1")] == [waiting]
    assert [(one.layer, one.word) for one in journal.verdicts_of("P1", "job")] == [(6, "OK")]


def test_a_layer_missing_twice_is_one_row(journal: Journal) -> None:
    for _ in range(2):
        judge(journal, None, 5, "FAULT", fault="missing")
    assert journal.counts()["frames missing"] == journal.counts()["verdicts"] == 1


def test_frames_wait_in_the_order_in_which_they_came(journal: Journal) -> None:
    numbers = [receive(journal, layer)[1] for layer in (5, 3, 9)]
    journal.receive(delivery(1, printer="P2"), spooled(), 1.0)
    assert [one.number for one in journal.waiting("P1", 9)] == numbers == sorted(numbers)
    assert [one.identity.layer for one in journal.waiting("P1", 2)] == [5, 3]
    judge(journal, numbers[0], 5)
    assert [one.identity.layer for one in journal.waiting("P1", 9)] == [3, 9]


def test_a_frame_comes_back_as_it_was_told(journal: Journal) -> None:
    one = Delivery(Identity("P1", "job", -1, "lamp", "s"), b"x", ".png", "x.png", 12.5, "no number in its name")
    number = journal.receive(one, spooled("b", "frames/b.png"), 13.0).frame
    (frame,) = journal.waiting("P1")
    assert (frame.number, frame.identity, frame.sha256, frame.path) == (number, one.identity, "b" * 64, "frames/b.png")
    assert (frame.name, frame.received, frame.exposed, frame.note) == ("x.png", 13.0, 12.5, "no number in its name")


def test_what_a_frame_leads_to_is_written_whole_or_not_at_all(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, number = receive(journal, 3)

    def fail(name: str) -> None:
        if name == "before record commit":
            raise RuntimeError(name)

    entry = Entry(Verdict("job", 3, "NOK"), number)
    outcome = Outcome("P1", "job", (entry,), (alarm(),), (said(3, "NOK"), Message("alarm", {}, "P1", "job")))
    monkeypatch.setattr(failpoints, "hook", fail)
    with pytest.raises(RuntimeError):
        journal.record(outcome)
    monkeypatch.undo()
    assert [one.number for one in journal.waiting("P1")] == [number]
    assert (journal.verdicts_of("P1", "job"), journal.alarms_of("P1", "job")) == ((), ())
    assert told(journal) == []
    assert journal.counts()["outbox"] == 0
    assert len(journal.record(outcome)) == 2
    assert len(told(journal)) == journal.counts()["outbox"] == 2
    assert journal.counts()["frames judged"] == journal.counts()["verdicts"] == 1


def test_an_exception_in_the_middle_leaves_nothing(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    _, number = receive(journal, 3)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("layerwatch.inspection.journal.journal._raise", fail)
    entry = Entry(Verdict("job", 3, "NOK"), number)
    with pytest.raises(ZeroDivisionError):
        journal.record(Outcome("P1", "job", (entry,), (alarm(),), (said(3),)))
    counts = journal.counts()
    assert (counts["verdicts"], counts["outbox"], counts["frames waiting"], told(journal)) == (0, 0, 1, [])


def test_a_verdict_comes_back_with_all_that_was_told(journal: Journal) -> None:
    _, number = receive(journal, 3)
    entry = Entry(Verdict("job", 3, "NOK", 2.5, 1.0), number, "", {"seconds": float("nan")}, "heat/3.png", "m1")
    journal.record(Outcome("P1", "job", (entry,), (), (said(3),)), 7.0)
    (one,) = journal.verdicts_of("P1", "job")
    assert (one.frame, one.word, one.heat, one.model, one.judged) == (number, "NOK", "heat/3.png", "m1", 7.0)
    assert one.body["seconds"] is None
    assert (one.verdict.score, one.verdict.threshold) == (2.5, 1.0)
    assert one.verdict.p_value != one.verdict.p_value


def test_verdicts_come_in_the_order_in_which_they_were_given(journal: Journal) -> None:
    numbers = {layer: receive(journal, layer)[1] for layer in (1, 2, 3)}
    for layer in (2, 3, 1):
        judge(journal, numbers[layer], layer)
    assert [one.layer for one in journal.verdicts_of("P1", "job")] == [2, 3, 1]
    assert [one.identity.layer for one in journal.judged("P1", "job")] == [2, 3, 1]


def test_an_alarm_is_one_row_whatever_happens_to_it(journal: Journal) -> None:
    journal.set_alarm("P1", "job", alarm(), Message("alarm", {"a": 1}, "P1", "job"), 1.0)
    journal.set_alarm("P1", "job", alarm(2), Message("alarm", {"a": 2}, "P1", "job"), 1.0)
    journal.set_alarm("P1", "job", alarm(level="critical", is_open=False), Message("audit", {}, "P1", "job"), 2.0)
    assert journal.alarms_of("P1", "job") == (alarm(level="critical", is_open=False), alarm(2))
    assert journal.alarms_of("P1", "other") == ()


def test_messages_get_rising_numbers(journal: Journal) -> None:
    first = journal.say([said(1), said(2)])
    second = journal.say([said(3)])
    numbers = [*first, *second]
    assert numbers == sorted(set(numbers))
    assert [message.number for message in journal.told()] == numbers
    assert [message.body["layer"] for message in journal.told(first[0])] == [2, 3]


def test_a_sink_gets_what_it_wants_until_it_has_taken_it(journal: Journal) -> None:
    one, other, three = journal.say([said(1), Message("job", {}, "P1", "job"), said(3)], 1.0)
    assert [message.number for message in journal.pending("line", 2.0, 9)] == [one, three]
    assert journal.pending("nobody", 2.0, 9) == ()
    journal.failed("line", one, "no route", again=10.0)
    assert journal.pending("line", 9.0, 9) == ()
    assert [message.number for message in journal.pending("line", 10.0, 1)] == [one]
    journal.sent("line", [one, other])
    assert [message.number for message in journal.pending("line", 9.0, 9)] == [three]
    journal.sent("line", [three])
    assert journal.pending("line", 9.0, 9) == ()


def test_a_job_runs_until_it_ends_and_again_when_a_frame_comes(journal: Journal) -> None:
    receive(journal, 1, now=1.0)
    receive(journal, 2, now=2.0)
    receive(journal, 1, job="b", now=3.0)
    journal.end("P1", "job", {"layers": 2}, [], 4.0)
    assert journal.jobs_of("P1", running=True) == (("P1", "b", 3.0),)
    assert journal.jobs_of() == (("P1", "job", 2.0), ("P1", "b", 3.0))
    receive(journal, 3, now=5.0)
    assert journal.jobs_of(running=True) == (("P1", "job", 5.0), ("P1", "b", 3.0))


def test_a_late_frame_is_the_latest_of_its_job(journal: Journal) -> None:
    receive(journal, 1, now=1.0)
    judge(journal, None, 2, "FAULT", fault="missing")
    journal.end("P1", "job", {}, [], 4.0)
    receive(journal, 2, now=5.0)
    assert journal.jobs_of(running=True) == (("P1", "job", 5.0),)


def test_names_of_any_script_come_back(journal: Journal) -> None:
    name = "Träger №7 'x\" ; DROP TABLE frames; 部品"
    receive(journal, 1, job=name)
    assert journal.waiting("P1")[0].identity.job == name
    assert journal.jobs_of()[0][1] == name


def test_a_healthy_database_says_so(engine: Engine) -> None:
    assert checked(engine) == "ok"
    assert mode_of(engine) in {"WAL", "TRUNCATE", "postgresql"}


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "TRUNCATE"),
        ((3, 44, 5), "TRUNCATE"),
        ((3, 44, 6), "WAL"),
        ((3, 46, 0), "TRUNCATE"),
        ((3, 50, 6), "TRUNCATE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 2), "TRUNCATE"),
        ((3, 51, 3), "WAL"),
        ((3, 54, 0), "WAL"),
    ],
)
def test_wal_only_where_it_is_safe(version: tuple[int, ...], mode: str, tmp_path: Path) -> None:
    assert journal_mode(version, is_network=False) == mode
    assert journal_mode(version, is_network=True) == "TRUNCATE"
    for place, wanted in ((tmp_path / "here.db", mode), (tmp_path / "net.db", "TRUNCATE")):
        engine = open_engine(f"sqlite:///{place}", version=version, on_network=lambda file: file.name == "net.db")
        assert mode_of(engine) == wanted
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        engine.dispose()


def test_a_network_disk_is_known_by_its_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda / ext4 rw 0 0\nhost:/x /data nfs4 rw 0 0\n/dev/sdb /data/here ext4 rw 0 0\n")
    places = ["/data/a.db", "/data/here/a.db", "/database/a.db"]
    assert [database.is_on_network(Path(place), mounts) for place in places] == [True, False, False]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "no url"])
def test_what_is_no_place_for_a_journal_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        open_engine(url)


@pytest.mark.slow
def test_a_million_rows_do_not_keep_a_service_from_starting(engine: Engine) -> None:
    with engine.begin() as connection:
        _fill(connection)
    url = engine.url
    engine.dispose()
    began = time.perf_counter()
    again = open_engine(url.render_as_string(hide_password=False))
    bring_up(again)
    journal = Journal(again)
    waiting, running = journal.waiting("P1", 100), journal.jobs_of(running=True)
    seconds = time.perf_counter() - began
    again.dispose()
    print(f"{engine.dialect.name}: {seconds:.3f} s to start with a million rows")
    assert (len(waiting), len(running)) == (10, 1)
    assert seconds < 5


def _fill(connection: Connection) -> None:
    """A million frames in a thousand jobs; ten wait, one job runs."""
    if connection.dialect.name == "postgresql":  # its driver sends row by row, which takes many minutes
        connection.exec_driver_sql(
            "INSERT INTO frames (printer, job, layer, phase, shot, sha256, path, size, name, received, note, state) "
            "SELECT 'P1', 'job ' || n / 1000, n % 1000, '', '', repeat('a', 64), 'frames/P1/' || n || '.png', 1000, "
            "'x', n, '', CASE WHEN n < 999990 THEN 'judged' ELSE 'waiting' END FROM generate_series(0, 999999) AS n"
        )
    else:
        for start in range(0, 1_000_000, 10_000):
            connection.execute(insert(frames), [_row(number) for number in range(start, start + 10_000)])
    made = [{"job": f"job {i}", "began": i, "last": i, "ended": None if i == 999 else 1.0} for i in range(1000)]
    connection.execute(insert(jobs), [{"printer": "P1", "body": {}, **row} for row in made])


def _row(number: int) -> dict[str, object]:
    state = "judged" if number < 999_990 else "waiting"
    named = {"printer": "P1", "job": f"job {number // 1000}", "layer": number % 1000, "phase": "", "shot": ""}
    kept = {"sha256": "a" * 64, "path": f"frames/P1/{number}.png", "size": 1000, "name": "x", "note": ""}
    return {**named, **kept, "received": float(number), "exposed": None, "state": state}


def test_a_good_frame_takes_the_place_of_one_that_could_not_be_read(journal: Journal) -> None:
    def sent(data: bytes) -> tuple[Delivery, Spooled]:
        digest = hashlib.sha256(data).hexdigest()
        return Delivery(Identity("p", "j", 1), data, ".png", "n"), Spooled(
            f"frames/{digest[:8]}.png", digest, len(data)
        )

    number = journal.receive(*sent(b"broken")).frame
    verdict = Verdict("j", 1, "FAULT", reason="unreadable frame: no PNG")
    told = Message("verdict", {"layer": 1}, "p", "j")
    journal.record(Outcome("p", "j", (Entry(verdict, number, "unreadable frame"),), (), (told,)))
    assert journal.receive(*sent(b"good")).word == "late"
    waiting = journal.waiting("p")
    assert [one.number for one in waiting] == [number]
    assert waiting[0].sha256 == hashlib.sha256(b"good").hexdigest()
    assert journal.counts()["conflicts"] == 1
