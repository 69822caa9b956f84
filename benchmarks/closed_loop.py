"""Real infrared images -> ranges, synthetic layers, detectors of real, synthetic and mixed ones, judged on real.

Usage: python benchmarks/closed_loop.py [--real DIR] [--work DIR] [--out DIR] [--jobs 160] [--detectors pca,vae,fanogan]

The whole street on a process without CAD: solar modules, of which only the good ones are learnt from. Their "part" is a
plate of 6 x 10 cells with gaps, placed as the camera sees a module. Every step is a verb of the command line and is
printed before it runs; what stands in --work is not made again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import processor

from layerwatch.evaluation.metrics import Estimate

ROOT = Path(__file__).parent.parent
REAL = ROOT / "examples/images/infrared_solar_modules"
SIZE = (24, 40)  # px of an image; a px is 10 mm of the plate's bed
CELLS, GAP, EDGE, THICK = (6, 10), 2.0, 10.0, 9.0  # mm
SHARES = {"real": None, "mixed": 0.5, "synthetic": 1.0}
MACHINE = """name = "a solar module, seen from above"
[bed]
x = 240.0
y = 400.0
z = 50.0
rim = 0.0
[axes]
head = "y"
recoater = "x"
lamp = "x"
[process]
layer_height = 0.3
layer_time = 20.0
[head]
swath = 120.0
[lamp]
emitters = 4
[camera]
width = 24
height = 40
tilt = 0.0
low = 0.0
high = 100.0
bits = 8
noise = 0.05
"""


def main() -> None:
    """Make what is missing, judge, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, default=REAL)
    parser.add_argument("--work", type=Path, default=Path("closed_loop-work"))
    parser.add_argument("--out", type=Path, default=ROOT / "results/closed_loop")
    parser.add_argument("--jobs", type=int, default=160)
    parser.add_argument("--detectors", default=["pca", "vae", "fanogan"], type=lambda text: text.split(","))
    wanted = parser.parse_args()
    work, real = wanted.work, wanted.real
    work.mkdir(parents=True, exist_ok=True)
    (work / "plate.stl").write_bytes(plate())
    (work / "machine.toml").write_text(MACHINE)
    made = loop(real / "dev_train", work, wanted.jobs)
    rows = [
        row
        for detector in wanted.detectors
        for source, share in SHARES.items()
        for row in judged(detector, source, share, real, made, work)
    ]
    told = {"machine": processor(), "torch": torch.__version__, "date": datetime.now(UTC).date().isoformat()}
    wanted.out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(work / "against/ranges.json", wanted.out / "ranges.json")
    (wanted.out / "closed_loop.json").write_text(json.dumps({**told, "rows": rows}, indent=1) + "\n")
    for row in rows:
        print(f"{row['detector']:9s} {row['learnt']:10s} {row['class']:12s} {row['auroc']}")


def loop(train: Path, work: Path, jobs: int) -> Path:
    """Ranges of real images, synthetic layers of those ranges, and how far they cover the real ones."""
    part = ["--part", work / "plate.stl", "--machine", work / "machine.toml", "--defective", 0]
    learn = [train, "--machine", work / "machine.toml", "--mm-per-px", 10]
    learn += ["--span", 0, 100, "--by", "percentiles", "--sample", 200]
    call("ranges", *learn, "--out", work / "ranges", made=work / "ranges/ranges.toml")
    more = ["--ranges", work / "ranges/ranges.toml", "--jobs", jobs, "--layers", 10, "--seed", 1]
    call("synthesise", *part, *more, "--out", work / "made", made=work / "made/archive.json")
    held = ["--against", work / "made", "--out", work / "against"]
    call("ranges", *learn, *held, made=work / "against/ranges.json")
    return work / "made"


def judged(detector: str, source: str, share: float | None, real: Path, made: Path, work: Path) -> list[dict[str, Any]]:
    """One row a class: AUROC on real images with its interval over images."""
    model, told = work / f"{detector}-{source}", work / f"{detector}-{source}.json"
    also = [] if share is None else ["--also", made, "--share", share]
    learn = [real / "dev_train", "--detector", detector, "--calibration", 0.2, *also]
    call("train", *learn, "--out", model, made=model / "model.json")
    call("evaluate", model, real / "dev_test", "--good", "No-Anomaly", "--out", told, made=told)
    figures = json.loads(told.read_text())
    return [
        {"detector": detector, "learnt": source, "class": kind, "auroc": str(Estimate(*values)), "values": values}
        for kind, values in ((kind, _numbers(value)) for kind, value in figures["auroc"].items())
    ]


def _numbers(value: Any) -> list[float]:
    """Value, low and high end, however the file writes them."""
    return [float(value[key]) for key in ("value", "low", "high")] if isinstance(value, dict) else list(value)


def call(verb: str, *words: object, made: Path) -> None:
    """One verb of the command line, unless what it makes is there."""
    command = ["layerwatch", verb, *map(str, words)]
    if made.exists():
        return
    print("$", " ".join(command), flush=True)
    subprocess.run([sys.executable, "-m", "layerwatch.cli", *command[1:]], check=True)


def plate() -> bytes:
    """A binary STL of 6 x 10 cells with gaps between them; mm."""
    width, height = (10.0 * px - 2 * EDGE for px in SIZE)
    triangles = []
    for i in range(CELLS[0]):
        for j in range(CELLS[1]):
            dx, dy = width / CELLS[0], height / CELLS[1]
            low, high = np.array([i * dx, j * dy, 0.0]), np.array([(i + 1) * dx - GAP, (j + 1) * dy - GAP, THICK])
            triangles += box(low, high)
    data = b"".join(struct.pack("<12fH", *([0.0] * 3), *np.ravel(t).tolist(), 0) for t in triangles)
    return b"cells".ljust(80, b" ") + struct.pack("<I", len(triangles)) + data


def box(low: np.ndarray, high: np.ndarray) -> list[np.ndarray]:
    """Twelve triangles, seen from outside counter-clockwise."""
    corner = np.array([[(low, high)[bit >> axis & 1][axis] for axis in range(3)] for bit in range(8)])
    sides = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    return [corner[[a, *pair]] for a, b, c, d in sides for pair in ((b, c), (c, d))]


if __name__ == "__main__":
    main()
