"""Copies of a part in one layer: how much of what `plan_aware` leaves of one copy its siblings show as well.

Usage: python benchmarks/siblings.py --part A.stl [--part B.stl ...] [--copies 2 --copies 8 --copies 24] [--jobs 4]
           [--layers 24] [--out benchmarks/results]

Healthy virtual jobs of `physical`. In each layer the copies are laid onto each other, to parts of a pixel; of the
cleared residual of one copy that of its siblings' mean is taken away, by the share that is best for all of them.
Printed is the share of variance that this explains, beside the share that siblings would explain by chance alone: the
same with every other copy of a layer turned by 180 degrees.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from machine import processor
from scipy import ndimage

from layerwatch.detectors.signals.outline import share_of_part
from layerwatch.detectors.signals.running import Running
from layerwatch.job.machine import default_machine
from layerwatch.job.printing import JobSettings
from layerwatch.journeys.comparison.bench import images_of
from layerwatch.journeys.plates import fill_beds, slice_part
from layerwatch.journeys.synthesise import Wish, plan_plates

_AROUND = 3  # px of bed that belong to a copy
_FEWEST = 12  # px, of an outline that can be laid onto another one
SPANS = {"layers 1 to 2": range(2), "layers 3 to 8": range(2, 8), "later": range(8, 10**6)}


def copies_of(residual: np.ndarray, plan: np.ndarray, most: int) -> np.ndarray | None:
    """The residual around each copy of the largest group of equal outlines, on the grid of the first."""
    told = dict[int, tuple[float, ...]]()
    for number in range(1, int(plan.max()) + 1):
        rows, columns = np.nonzero(plan == number)
        if len(rows) >= _FEWEST:
            place = (len(rows), np.ptp(rows), np.ptp(columns), rows.mean(), columns.mean(), rows.min(), columns.min())
            told[number] = tuple(map(float, place))
    groups = [
        [b for b in told if abs(told[b][0] - told[a][0]) <= 3 + 0.06 * told[a][0] and _alike(told[a], told[b])]
        for a in told
    ]
    group = max(groups, key=len, default=[])[:most]
    if len(group) < 2:
        return None
    first = told[group[0]]
    rows, columns = np.mgrid[-_AROUND : first[1] + _AROUND + 1, -_AROUND : first[2] + _AROUND + 1]
    rows, columns = rows + first[5], columns + first[6]
    crops = [
        ndimage.map_coordinates(
            residual, [rows + told[one][3] - first[3], columns + told[one][4] - first[4]], order=1, mode="nearest"
        )
        for one in group
    ]
    return np.array([crop - crop.mean() for crop in crops])


def _alike(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return abs(a[1] - b[1]) <= 1 and abs(a[2] - b[2]) <= 1


def sums(crops: np.ndarray) -> np.ndarray:
    """Products of copies with the mean of their siblings, of these means, and of copies."""
    siblings = (crops.sum(0) - crops) / (len(crops) - 1)
    return np.array([(crops * siblings).sum(), (siblings**2).sum(), (crops**2).sum()])


def explained(told: np.ndarray) -> float:
    """Share of variance that the best share of the siblings' mean explains; 0 where that share would be negative."""
    return float(max(told[0], 0) ** 2 / max(told[1] * told[2], 1e-30))


def layers_of(job: JobSettings, copies: int) -> Iterator[tuple[int, np.ndarray]]:
    """Age and copies of every layer that has some."""
    running = Running()
    for age, layer in enumerate(images_of(job)):
        image = layer.image
        cleared = running.update(image.pixels, share_of_part(image), image.layer)
        crops = copies_of(cleared.now.residual, np.asarray(image.plan), copies)
        if crops is not None and len(crops) == copies:
            yield age, crops


def measure(parts: Sequence[Path], copies: int, jobs: int, layers: int) -> dict[str, dict[str, float]]:
    """By age: layers seen, share that siblings explain, and the share by chance."""
    machine = default_machine()
    plates = fill_beds([slice_part(part, machine, at_least=layers) for part in parts], machine)
    wish = Wish(healthy=jobs, defective=0, layers=layers, preset="physical", seed=copies)
    told = {span: np.zeros((2, 3)) for span in SPANS}
    seen = dict.fromkeys(SPANS, 0)
    for name, settings in plan_plates(plates, machine, wish).items():
        for age, crops in layers_of(replace(settings, name=name), copies):
            span = next(span for span, ages in SPANS.items() if age in ages)
            turned = np.array([crop[::-1, ::-1] if k % 2 else crop for k, crop in enumerate(crops)])
            told[span] += [sums(crops), sums(turned)]
            seen[span] += 1
    return {
        span: {"layers": seen[span], "explained": explained(told[span][0]), "by_chance": explained(told[span][1])}
        for span in SPANS
        if seen[span]
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", type=Path, action="append", required=True)
    parser.add_argument("--copies", type=int, action="append")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args()
    table = {}
    for copies in asked.copies or [2, 8, 24]:
        table[str(copies)] = measure(asked.part, copies, asked.jobs, asked.layers)
        for span, row in table[str(copies)].items():
            print(
                f"{copies} copies, {span} ({row['layers']} of them): siblings explain {100 * row['explained']:.1f} % "
                f"of what is left of a copy, {100 * row['by_chance']:.1f} % by chance"
            )
    told = {
        "parts": [part.name for part in asked.part],
        "jobs": asked.jobs,
        "layers": asked.layers,
        "processor": processor(),
        "date": datetime.now(UTC).date().isoformat(),
        "copies": table,
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "siblings.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
