"""A service that is killed at random moments (R1) and at every failpoint (R2) -> what was lost or doubled, as JSON.

Usage: python benchmarks/crashes.py [--kills 1000] [--seconds 3600] [--seed 0] [--out results/proofs-crashes.json]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.inspection.crash_client import Child, Client, Findings, child, crash

from layerwatch.inspection.failpoints import POINTS

_ROUND = 100  # kills between two looks at the data folder
_CLEAN = "0 lost, 0 doubled, 0 unjudged, 0 untold, 0 out of order, 0 half files, integrity ok"
Tell = Callable[[str], None]


def words(found: Findings) -> str:
    """The findings in one line, in the form of the target."""
    return (
        f"{found.lost} lost, {found.doubled} doubled, {found.unjudged} unjudged, {found.untold} untold, "
        f"{found.disordered} out of order, {found.half_files} half files, integrity {found.integrity}"
    )


def random_kills(process: Child, folder: Path, count: int, seconds: float, seed: int, tell: Tell) -> dict[str, Any]:
    """R1: kills on one data folder, looked at after each round; it ends early when the time is over."""
    client, done, begun, found = Client(process, folder, seed), 0, time.monotonic(), None
    while done < count and time.monotonic() - begun < seconds and (found is None or found.is_clean):
        goal = min(done + _ROUND, count)
        while done < goal and time.monotonic() - begun < seconds:
            done += client.kill_once()
        client.finish()
        found = client.findings()
        tell(f"{done} kills in {time.monotonic() - begun:.0f} s: {words(found)}")
    assert found is not None
    figure = f"{done} kills, {found.acknowledged} layers acknowledged: {words(found)}"
    target = f"{count} kills: {_CLEAN}"
    told = {"kills": done, "seconds": round(time.monotonic() - begun, 1), "findings": asdict(found)}
    return {"id": "R1", "figure": figure, "target": target, "pass": found.is_clean and done == count, **told}


def failpoints(process: Child, seed: int, tell: Tell) -> dict[str, Any]:
    """R2: one crash at each failpoint, each on a data folder of its own."""
    wrong = []
    for number, point in enumerate(POINTS):
        with TemporaryDirectory() as folder:
            is_reached, found = crash(process, Path(folder), point, seed + number)
        if not (is_reached and found.is_clean):
            wrong.append(f"{point}: {words(found)}" if is_reached else f"{point}: never reached")
            tell(wrong[-1])
    figure = f"{len(POINTS) - len(wrong)} of {len(POINTS)} points reached and clean"
    target = f"{len(POINTS)} of {len(POINTS)} points reached and clean"
    return {"id": "R2", "figure": figure, "target": target, "pass": not wrong, "wrong": wrong}


def table(rows: list[dict[str, Any]]) -> Table:
    """The proofs for people."""
    drawn = Table("id", "figure", "target", "pass")
    for row in rows:
        drawn.add_row(row["id"], row["figure"], row["target"], "yes" if row["pass"] else "NO")
    return drawn


def main() -> int:
    """Run both; 1 where one does not pass."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=3600.0, help="after which R1 ends, whatever was reached")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("results/proofs-crashes.json"))
    given = parser.parse_args()
    console = Console()
    with child() as process, TemporaryDirectory() as folder:
        rows = [
            failpoints(process, given.seed, console.print),
            random_kills(process, Path(folder), given.kills, given.seconds, given.seed, console.print),
        ]
    command = f"python benchmarks/crashes.py --kills {given.kills} --seed {given.seed}"
    now = datetime.now(UTC).strftime("%Y-%m-%d")
    rows = [{**row, "command": command, "date": now} for row in sorted(rows, key=lambda row: str(row["id"]))]
    console.print(table(rows))
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0 if all(row["pass"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
