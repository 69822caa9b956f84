"""The proofs of the service in their short form, and the figures of the long ones -> one list with pass or not.

Usage: python benchmarks/proofs.py [--only R1 --only A2] [--out results/proofs.json]

The long ones are read, not run: proofs-crashes.json, proofs-alarms.json and proofs-rate.json in results/, where there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree as Xml  # of our own pytest only

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
LONG = ("proofs-crashes.json", "proofs-alarms.json", "proofs-rate.json")
KEYS = ("id", "command", "figure", "target", "pass", "date")
_LONGEST = 1800.0  # s for one proof
_SHORT = "pytest "
Row = dict[str, Any]


@dataclass(frozen=True)
class Proof:
    """The tests of one proof, as pytest is told them, and what they assert."""

    target: str
    words: tuple[str, ...]

    @property
    def command(self) -> str:
        """For people: the same, to be copied."""
        return _SHORT + " ".join(f'"{word}"' if re.search(r"[\s\[]", word) else word for word in self.words)


def _of(target: str, module: str, *tests: str) -> Proof:
    path = f"tests/inspection/{module}.py"
    return Proof(target, tuple(f"{path}::test_{test}" for test in tests) or (path,))


def _joined(target: str, *proofs: Proof) -> Proof:
    return Proof(target, tuple(word for proof in proofs for word in proof.words))


PROOFS = {
    "R1": _of(
        "25 kills: 0 acknowledged layers lost, 0 doubled, database intact",
        "test_crashes",
        "kills_at_random_moments_lose_and_double_nothing[25]",
    ),
    "R2": _of("every failpoint: the same", "test_crashes", "a_crash_at_any_step_loses_and_doubles_nothing"),
    "R3": _of(
        "power loss, modelled: 0 acknowledged frames lost",
        "test_crashes",
        "a_power_loss_takes_no_acknowledged_frame",
        "nor_does_one_after_a_crash",
        "the_model_finds_a_step_that_is_left_out",
        "a_commit_is_on_the_disk",
    ),
    "R4": _of(
        "ENOSPC, EIO, EACCES at each write: told within 2 s, resumes by itself, no half file",
        "test_crashes",
        "a_broken_disk_refuses_and_resumes",
        "a_broken_disk_leaves_a_frame_unjudged_until_it_works",
        "a_full_database_refuses_and_resumes",
        "a_full_database_takes_verdict_and_messages_whole_or_not_at_all",
        "a_limit_of_the_system_refuses_and_resumes",
        "a_limit_of_the_system_on_the_journal_refuses_and_resumes",
        "a_disk_that_is_really_full_refuses_and_resumes",
    ),
    "R5": _joined(
        "one frame 5 times over folder, HTTP, MQTT: one result and one alarm",
        _of("", "test_cameras", "one_frame_sent_five_times_is_one_frame"),
        _of("", "test_mqtt_camera", "one_frame_sent_five_times_has_one_identity"),
        _of("", "test_journal", "a_frame_is_new_once_and_a_duplicate_ever_after"),
        Proof("", ("tests/journeys/test_five_times.py",)),
    ),
    "R6": _joined(
        "broker killed, folder gone, address in use: frames again within 10 s; clock set back: none waits; gaps named",
        _of("", "test_cameras", "a_folder_that_goes_away_is_waited_for", "an_address_in_use_is_waited_for"),
        _of("", "test_mqtt_camera", "a_broker_that_was_killed_is_found_again"),
        _of("", "test_publisher", "a_clock_that_is_set_back_does_not_make_a_sink_wait"),
        _of("", "test_service", "a_gap_in_the_layers_is_an_alarm_that_names_them"),
    ),
    "R10": _of(
        "restart with 1,000,000 rows: serving within 5 s",
        "test_journal",
        "a_million_rows_do_not_keep_a_service_from_starting",
    ),
    "R11": _of("migrations forth, back and forth again: no row lost", "test_migrations"),
    "R12": _of("backup while the service writes: all that was committed before is in it", "test_backup"),
    "R13": _of("retention: nothing that waits or is of a job with an open alarm goes", "test_retention"),
    "R14": _of(
        "versions 3.40.1 to 3.54, network disks: WAL only where it is safe",
        "test_journal",
        "wal_only_where_it_is_safe",
        "a_network_disk_is_known_by_its_mount",
    ),
    "R15": Proof(
        "the same tests pass on SQLite and on PostgreSQL 15",
        ("tests/inspection/test_journal.py", "tests/inspection/test_migrations.py", "-m", "not slow"),
    ),
    "A2": _of(
        "10,000 moves, no illegal state, restarts in between",
        "test_alarm_states",
        "ten_thousand_moves_reach_no_illegal_state",
    ),
    "S9": _of(
        "a model with one flipped byte is refused, the old one stays active",
        "test_registry",
        "s9_one_flipped_byte_in_any_file_is_refused_and_the_old_one_stays",
    ),
}
ABSENT = {
    "R7": "20 times the nominal rate: nothing dropped, memory bounded, order kept",
    "R8": "8 printers, a layer every 2 s, 2 cores: p99 from received to stored verdict at most 2 s",
    "R9": "10 minutes at full rate: memory grows at most 1 MB/h, file handles constant",
    "A1": "at most 5 % of healthy jobs with an alarm",
}


def run(name: str, proof: Proof) -> Row:
    """One proof's tests, in a process of their own."""
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        told = Path(folder) / "told.xml"
        line = [sys.executable, "-m", "pytest", "-q", *proof.words, f"--junitxml={told}"]
        try:
            done = subprocess.run(line, cwd=ROOT, capture_output=True, timeout=_LONGEST, env=_one_thread())
        except subprocess.TimeoutExpired:
            return _row(name, proof.command, f"not ended after {_LONGEST:.0f} s", proof.target, False)
        counts = _counts(told) if told.is_file() else {}
    figure = f"{_told(counts)} in {time.monotonic() - began:.0f} s"
    passed = done.returncode == 0 and counts.get("passed", 0) > 0 and not counts.get("skipped")
    return _row(name, proof.command, figure, proof.target, passed)


def _one_thread() -> dict[str, str]:
    return {"OMP_NUM_THREADS": "1", **os.environ}


def _counts(file: Path) -> dict[str, int]:
    """Tests by what became of them."""
    suites = list(Xml.parse(file).getroot().iter("testsuite"))
    told = {word: sum(int(one.get(key, 0)) for one in suites) for word, key in _WORDS.items()}
    return {"passed": sum(int(one.get("tests", 0)) for one in suites) - sum(told.values()), **told}


_WORDS = {"failed": "failures", "broken": "errors", "skipped": "skipped"}


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no test ran"


def _row(name: str, command: str, figure: str, target: str, passed: bool) -> Row:
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    return {"id": name, "command": command, "figure": figure, "target": target, "pass": passed, "date": date}


def rows_of(file: Path) -> list[Row]:
    """Rows that a benchmark has written, in the fixed form; none where there is no file."""
    if not file.is_file():
        return []
    return [{key: row[key] for key in KEYS} for row in json.loads(file.read_text(encoding="utf-8"))]


def absent(there: Iterable[str]) -> list[Row]:
    """Proofs that nobody has run."""
    wanted = {**{name: (proof.target, proof.command) for name, proof in PROOFS.items()}, **_LATER}
    left = sorted(wanted.keys() - set(there))
    return [_row(name, wanted[name][1], "not measured", wanted[name][0], False) for name in left]


_LATER = {name: (target, "") for name, target in ABSENT.items()}


def _place(row: Row) -> tuple[str, int, bool]:
    """A1, A2, R1 ... R15, S9, the short form first."""
    return row["id"][0], int(row["id"][1:]), not row["command"].startswith(_SHORT)


def table(rows: Sequence[Row]) -> Table:
    """The proofs for people."""
    drawn = Table("id", "figure", "target", "pass")
    for row in rows:
        drawn.add_row(row["id"], row["figure"], row["target"], "yes" if row["pass"] else "NO")
    return drawn


def main() -> int:
    """Run, merge, write; 1 where a proof does not pass or was not measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", action="append", choices=PROOFS, metavar="ID", help="run this one; the others stay")
    parser.add_argument("--out", type=Path, default=Path("results/proofs.json"))
    given = parser.parse_args()
    console = Console()
    chosen = given.only or list(PROOFS)
    rows = [row for row in rows_of(given.out) if row["id"] in PROOFS and row["command"].startswith(_SHORT)]
    rows = [row for row in rows if row["id"] not in chosen and row["figure"] != "not measured"]
    for name in chosen:
        rows.append(run(name, PROOFS[name]))
        console.print(f"{name}: {rows[-1]['figure']}", highlight=False)
    rows += [row for file in LONG for row in rows_of(ROOT / "results" / file)]
    rows += absent(row["id"] for row in rows)
    rows.sort(key=_place)
    console.print(table(rows))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["pass"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
