"""The virtual printer's service, killed with -9 in the middle and started again -> whether the journal has all, once.

python -m tests.journeys.serve_killed --layers 60 --speed 20
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.machine_choice import machine_for
from layerwatch.journeys.serving.virtual_plant import PlantWish, plate_of, virtual_job

NEAR = 10.0  # mm between the planted defect and where the alarm has it


def main() -> None:
    """Print what was found; exit with 1 where something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=60)
    parser.add_argument("--speed", type=float, default=20.0)
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = killed_and_resumed(Path(folder) / "data", given.layers, given.speed)
    print(json.dumps(told, indent=1))
    if given.out is not None:
        given.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    sys.exit(0 if told["pass"] else 1)


def killed_and_resumed(data: Path, layers: int, speed: float) -> dict[str, Any]:
    """Serve, kill when half of the layers are judged, serve on, and look at the journal."""
    program = [sys.executable, "-m", "layerwatch", "serve", "--demo", "--quiet", "--data", str(data)]
    command = [*program, "--layers", str(layers), "--speed", f"{speed:g}"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while not _is_half_way(data, layers):
        if first.poll() is not None:
            raise RuntimeError("the service ended before it could be killed; give a lower --speed")
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    before = len(exported(data)["layers"])
    subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return judged_by(exported(data), planted(layers)) | {"layers before the kill": before}


def exported(data: Path) -> dict[str, Any]:
    """What `layerwatch journal export --json` says."""
    program = [sys.executable, "-m", "layerwatch", "journal", "export", "--json", "--data", str(data)]
    told: dict[str, Any] = json.loads(subprocess.run(program, check=True, capture_output=True).stdout)
    return told


@dataclass(frozen=True)
class Planted:
    """What is really wrong with the virtual job."""

    layers: int
    first: int  # layer of the defect
    last: int
    faded: int  # last layer on which its trace can be found
    x: float  # mm
    y: float  # mm
    fault: str
    faulty: tuple[int, ...]  # layers


def planted(layers: int) -> Planted:
    """The same virtual job, printed here."""
    part = example_parts()[0]
    machine, _ = machine_for([part], None)
    wish = PlantWish(part, machine, layers)
    job = virtual_job(wish, plate_of(wish))
    bad = [truth for truth in job.truths if truth.is_defective]
    traced = [truth.layer for truth in job.truths if not truth.is_healthy]
    rows, columns = np.nonzero(bad[0].mask)
    x, y = ((float(one.mean()) + 0.5) * machine.mm_per_px for one in (columns, rows))
    numbers = [frame.layer for frame in job.frames]
    faulty = tuple(n for n, arrived in zip(numbers, job.is_faulty, strict=True) if arrived)
    return Planted(layers, bad[0].layer, bad[-1].layer, max(traced), x, y, wish.fault, faulty)


def judged_by(told: dict[str, Any], planted: Planted) -> dict[str, Any]:
    """The acceptance lines, each true or false."""
    numbers = [one["layer"] for one in told["layers"]]
    defects = [one["body"] for one in told["alarms"] if one["kind"] == "defect"]
    faults = [one["body"] for one in told["alarms"] if one["kind"] == "fault"]
    main = defects[0]["objects"][0] if defects else {"x": math.inf, "y": math.inf}
    away = math.hypot(main["x"] - planted.x, main["y"] - planted.y)
    spans = [(alarm["first_layer"], alarm["last_layer"]) for alarm in defects]
    named = [(alarm["first_layer"], alarm["last_layer"]) for alarm in faults]
    checks = {
        "every layer once": len(numbers) == planted.layers == len(set(numbers)),
        "every layer judged": all(one["state"] == "judged" for one in told["layers"]),
        "one alarm of a defect": len(defects) == 1,
        "on its layers": bool(spans) and spans[0][0] == planted.first and planted.last <= spans[0][1] <= planted.faded,
        "at its place": away <= NEAR,
        "the fault is named": len(faults) == 1 and planted.fault in faults[0]["text"],
        "on its layers, too": named == [(min(planted.faulty), max(planted.faulty))],
    }
    figures = {"defect": spans, "planted": [planted.first, planted.last], "mm away": round(away, 1), "fault": named}
    return {**checks, "pass": all(checks.values()), **figures}


def _is_half_way(data: Path, layers: int) -> bool:
    return len(list((data / "heat").rglob("*.png"))) >= layers // 2


if __name__ == "__main__":
    main()
