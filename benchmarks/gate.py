"""A frame of 640 x 480 through the gate -> ms of one core for every check and for the whole.

Usage: python benchmarks/gate.py [--rounds 5] [--out benchmarks/results]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median

from machine import processor

from layerwatch.images.gate.base import Check, Past, Seen
from layerwatch.images.gating import Gate
from layerwatch.images.looks import Look
from layerwatch.records import Shot
from layerwatch.testing.frames import sound_shots

SIZE, LAYERS = (480, 640), 12


def ms(run: Callable[[], object]) -> float:
    """How much of the processor one run takes; other programs on the machine are not counted."""
    start = time.process_time()
    run()
    return 1e3 * (time.process_time() - start)


def main() -> None:
    """Time everything and write gate.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    wanted = parser.parse_args()
    gate = Gate().fit(sound_shots(seed, LAYERS, SIZE) for seed in range(5))
    shots = sound_shots(9, LAYERS, SIZE)
    whole = [took for _ in range(wanted.rounds) for took in times_of(gate, shots)]
    rows = {check.name: median(cost(gate, check, shots, wanted.rounds)) for check in gate.checks}
    for name, took in sorted(rows.items(), key=lambda row: -row[1]):
        print(f"{name:20s} {took:6.2f} ms alone, with all that it looks at")
    print(f"{'whole gate':20s} {median(whole):6.2f} ms a frame of {SIZE[1]} x {SIZE[0]} (least {min(whole):.2f})")
    told = {
        "machine": processor(),
        "load": round(os.getloadavg()[0], 1),
        "size": list(SIZE[::-1]),
        "ms": {name: round(took, 3) for name, took in rows.items()},
        "whole_ms": round(median(whole), 3),
        "least_ms": round(min(whole), 3),
    }
    wanted.out.mkdir(parents=True, exist_ok=True)
    (wanted.out / "gate.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def times_of(gate: Gate, shots: tuple[Shot, ...]) -> list[float]:
    """The whole gate, frame by frame; the first of a job is left out."""
    gate.begin(shots[0].job)
    return [ms(lambda shot=shot: gate.judge(shot)) for shot in shots][1:]  # type: ignore[misc] # bound at once


def cost(gate: Gate, check: Check, shots: tuple[Shot, ...], rounds: int) -> list[float]:
    """One check alone on fresh looks: what checks share is counted for each of them."""
    assert gate.known_ is not None
    assert gate._past is not None
    found = []
    for _ in range(rounds):
        for before, now in pairwise(shots):
            past = Past(now.job, gate._past.clock, before=warm(before))
            found.append(ms(lambda now=now, past=past: check.measure(Seen(now, gate.known_, past))))  # type: ignore[misc] # bound at once
    return found


def warm(shot: Shot) -> Look:
    """The frame before, looked at already."""
    look = Look(shot)
    for name in ("grid", "fine", "shapes", "kinks", "noise", "quiet", "coarse", "reach", "spreads", "contrast"):
        getattr(look, name)
    return look


if __name__ == "__main__":
    main()
