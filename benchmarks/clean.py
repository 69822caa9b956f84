"""`layerwatch clean` on virtual jobs with faults of all kinds -> what was found and missed, and frames a second.

Usage: python benchmarks/clean.py [--work DIR] [--out FILE] [--jobs 3] [--layers 300] [--width 640] [--height 480]

Each job is printed, its shots are cut into runs of 12, and each run gets one fault, kind after kind; the files are
16-bit TIFF with a sidecar each, as they arrived. The history is unlabelled: the gate learns from it.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from machine import processor

from layerwatch import catalogue
from layerwatch.images.archive import encode_tiff
from layerwatch.job.faults.base import Arrival, healthy
from layerwatch.job.machine import Machine, default_machine
from layerwatch.job.printing import print_job
from layerwatch.job.shots import shots_of
from layerwatch.journeys.clean import Cleaned, Cleaning, clean
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.plates import fill_beds, slice_part
from layerwatch.journeys.synthesise import Wish, plan_plates
from layerwatch.records import Shot

RUN = 12  # shots
Planted = dict[str, tuple[str, int, str]]  # file -> job, layer, fault


def main() -> None:
    """Print, spoil, clean, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("clean-work"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results/clean.json")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--layers", type=int, default=300)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--zoom", type=float, default=1.0, help="of the bed beside 0.75 mm a px")
    parser.add_argument("--seed", type=int, default=12, help="7, 8 and 11 are those on which it was mended")
    parser.add_argument("--preset", default="physical")
    wanted = parser.parse_args()
    folder, out = wanted.work / "history", wanted.work / "archive"
    planted = plant(folder, wanted)
    shutil.rmtree(out, ignore_errors=True)
    found = clean(folder, out, Cleaning(span=(20.0, 60.0)))  # the sidecars tell everything
    told = compared(planted, found)
    told |= {"frames": found.frames, "usable": found.usable, "seconds": found.seconds, "machine": processor()}
    told |= {"frames_per_second": found.frames / found.seconds, "date": datetime.now(UTC).date().isoformat()}
    told |= {"size": [wanted.width, wanted.height], "preset": wanted.preset, "seed": wanted.seed}
    wanted.out.write_text(json.dumps(told, indent=1) + "\n")
    for row in told["kinds"]:
        print(f"{row['fault']:18s} planted {row['planted']:4d}  found {row['found']:4d}  named {row['named']:4d}")
    print(f"false faults among {told['sound']} sound frames: {told['false']}")
    print(f"{found.frames} frames in {found.seconds:.1f} s: {told['frames_per_second']:.0f} frames/s (target 60)")


def plant(folder: Path, wanted: argparse.Namespace) -> Planted:
    """Write the history, unless it stands; returns what is wrong with each file, "" for nothing."""
    truth = folder.with_name("planted.json")
    if not truth.exists():
        planted: Planted = {}
        usual = default_machine()
        bed = (0.75 * wanted.width * wanted.zoom, 0.75 * wanted.height * wanted.zoom, usual.bed[2])
        machine = replace(usual, bed=bed, width=wanted.width, height=wanted.height)
        part = slice_part(example_parts()[0], machine, at_least=wanted.layers)
        wish = Wish(wanted.jobs + 1, 0, wanted.layers, preset=wanted.preset, seed=wanted.seed)
        jobs = list(plan_plates(fill_beds([part], machine), machine, wish).values())
        other = shots_of(print_job(jobs[-1]), machine)
        for number, settings in enumerate(jobs[:-1]):
            shots = shots_of(print_job(settings), machine)
            arrivals = mixed(shots, machine, other, np.random.default_rng((wanted.seed, number)), number)
            write(folder, arrivals, planted)
        truth.write_text(json.dumps(planted))
    return {name: tuple(row) for name, row in json.loads(truth.read_text()).items()}


def mixed(
    shots: Sequence[Shot], machine: Machine, other: Sequence[Shot], rng: np.random.Generator, first: int
) -> Iterator[Arrival]:
    """Run after run with one fault each; a clock that was set stays so."""
    names, moved = catalogue.names("job.faults"), 0.0
    for number, start in enumerate(range(0, len(shots), RUN)):
        run = [replace(shot, time=shot.time + moved) for shot in shots[start : start + RUN]]
        if len(run) < RUN or number == 0:
            yield from (healthy(shot) for shot in run)
            continue
        fault = catalogue.load("job.faults", names[(number + 8 * first) % len(names)])()
        told = list(fault.spoil(run, rng, machine, other[start : start + RUN]))
        if fault.shifts_clock:
            last = next(a.shot for a in reversed(told) if a.shot is not None)
            moved += last.time - run[last.layer - run[0].layer].time
        yield from told


def write(folder: Path, arrivals: Iterator[Arrival], planted: Planted) -> None:
    """Files in the order in which they came, each with a sidecar; what never came is planted without a file."""
    for number, arrival in enumerate(arrivals):
        shot, truth = arrival.shot, arrival.truth
        if shot is None:
            planted[f"never-{truth.job}-{truth.layer}"] = (truth.job, truth.layer, truth.fault)
            continue
        path = folder / shot.job / f"{number:05d}.tiff"
        path.parent.mkdir(parents=True, exist_ok=True)
        data = encode_tiff(shot.frame if shot.bits == 16 else shot.frame.astype(np.uint8))
        path.write_bytes(data[: round(len(data) * shot.share)])
        time = datetime.fromtimestamp(1.7e9 + shot.time, UTC).isoformat()
        path.with_suffix(".json").write_text(json.dumps({"job": shot.job, "layer": shot.layer, "time": time}))
        planted[str(path.relative_to(folder))] = (shot.job, shot.layer, truth.fault)


def compared(planted: Planted, found: Cleaned) -> dict[str, Any]:
    """What was found of each kind, what it was called, and what was called a fault and is none."""
    by_file = {one.file: one.fault.kind for one in found.faults if one.file}
    missing = {(one.fault.job, one.fault.layer): one.fault.kind for one in found.faults if not one.file}
    kinds: dict[str, Counter[str]] = {}
    wrong: Counter[str] = Counter()
    sound = 0
    for name, (job, layer, fault) in planted.items():
        kind = missing.get((job, layer), "") if name.startswith("never-") else by_file.get(name, "")
        if not fault:
            sound += 1
            wrong.update([kind] if kind else [])
            continue
        own = kinds.setdefault(fault, Counter())
        own.update({"planted": 1, "found": int(bool(kind)), "named": int(kind == fault), f"as {kind or 'sound'}": 1})
    rows = [
        {"fault": fault, **{key: own[key] for key in ("planted", "found", "named")}, "called": _called(own)}
        for fault, own in sorted(kinds.items())
    ]
    return {"kinds": rows, "sound": sound, "false": sum(wrong.values()), "false_kinds": dict(wrong)}


def _called(own: Counter[str]) -> dict[str, int]:
    return {key.removeprefix("as "): count for key, count in own.items() if key.startswith("as ")}


if __name__ == "__main__":
    main()
