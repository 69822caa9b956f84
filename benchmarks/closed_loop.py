"""Real infrared images -> ranges, synthetic layers, detectors of real, synthetic and mixed ones, judged on real.

Usage: python benchmarks/closed_loop.py [--real DIR] [--work DIR] [--out FILE] [--jobs 160] [--split SEED]
       [--detectors pca,vae,fanogan] [--recipe quick]

The whole street on a process without CAD: solar modules, of which only the good ones are learnt from. Their "part" is a
plate of 6 x 10 cells with gaps, placed as the camera sees a module. Every step is a verb of the command line and is
printed before it runs; what stands in --work is not made again. With --split the healthy images of both folders are
shuffled with that seed and 300 of them held back for judging; the defective ones, which nothing learns from, stay.
The seed is that of the synthetic layers and of the trainings as well.
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
GOOD, HELD = "No-Anomaly", 300
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
    parser.add_argument("--out", type=Path, default=ROOT / "results/closed_loop/closed_loop.json")
    parser.add_argument("--jobs", type=int, default=160)
    parser.add_argument("--split", type=int, help="seed; without it the folders stay as they are, and the seed is 0")
    parser.add_argument("--recipe", default="quick")
    parser.add_argument("--detectors", default=["pca", "vae", "fanogan"], type=lambda text: text.split(","))
    wanted = parser.parse_args()
    work = wanted.work
    work.mkdir(parents=True, exist_ok=True)
    real = wanted.real if wanted.split is None else shuffled(wanted.real, work / "real", wanted.split)
    (work / "plate.stl").write_bytes(plate())
    (work / "machine.toml").write_text(MACHINE)
    made = loop(real / "dev_train", work, wanted.jobs, wanted.split or 1)
    train = ["--recipe", wanted.recipe, "--seed", wanted.split or 0]
    rows = [
        row
        for detector in wanted.detectors
        for source, share in SHARES.items()
        for row in judged(
            detector, source, [] if share is None else ["--also", made, "--share", share], real, work, train
        )
    ]
    told: dict[str, Any] = {
        "machine": processor(),
        "torch": torch.__version__,
        "date": datetime.now(UTC).date().isoformat(),
    }
    told |= {"split": wanted.split, "recipe": wanted.recipe, "rows": rows}
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    wanted.out.write_text(json.dumps(told, indent=1) + "\n")
    shutil.copyfile(work / "against/ranges.json", wanted.out.with_name(f"{wanted.out.stem}-ranges.json"))
    for row in rows:
        print(f"{row['detector']:9s} {row['learnt']:10s} {row['class']:12s} {row['auroc']}")


def shuffled(real: Path, out: Path, seed: int) -> Path:
    """The same images, other healthy ones held back."""
    good = sorted(
        [*real.glob("dev_train/No-Anomaly/*"), *real.glob("dev_test/No-Anomaly/*")], key=lambda path: path.name
    )
    if len({path.name for path in good}) < len(good):
        raise SystemExit(f"{real}: two healthy images of one name")
    held = set(np.random.default_rng(seed).permutation(len(good))[:HELD].tolist())
    files = [(path, f"dev_{'test' if n in held else 'train'}/No-Anomaly/{path.name}") for n, path in enumerate(good)]
    files += [(path, str(path.relative_to(real))) for path in real.glob("dev_test/*/*") if path.parent.name != GOOD]
    for path, name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, out / name)
    return out


def loop(train: Path, work: Path, jobs: int, seed: int) -> Path:
    """Ranges of real images, synthetic layers of those ranges, and how far they cover the real ones."""
    part = ["--part", work / "plate.stl", "--machine", work / "machine.toml", "--defective", 0]
    learn = [train, "--machine", work / "machine.toml", "--mm-per-px", 10]
    learn += ["--span", 0, 100, "--by", "percentiles", "--sample", 200]
    call("ranges", *learn, "--out", work / "ranges", made=work / "ranges/ranges.toml")
    more = ["--ranges", work / "ranges/ranges.toml", "--jobs", jobs, "--layers", 10, "--seed", seed]
    call("synthesise", *part, *more, "--out", work / "made", made=work / "made/archive.json")
    held = ["--against", work / "made", "--out", work / "against"]
    call("ranges", *learn, *held, made=work / "against/ranges.json")
    return work / "made"


def judged(
    detector: str, source: str, also: list[Any], real: Path, work: Path, train: list[Any]
) -> list[dict[str, Any]]:
    """One row a class: AUROC on real images with its interval over images."""
    model, told = work / f"{detector}-{source}", work / f"{detector}-{source}.json"
    learn = [real / "dev_train", "--detector", detector, "--calibration", 0.2, *train, *also]
    call("train", *learn, "--out", model, made=model / "model.json")
    call("evaluate", model, real / "dev_test", "--good", GOOD, "--out", told, made=told)
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
