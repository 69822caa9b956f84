"""Learning from 1,000 healthy layers: seconds that detectors take which are fitted without a training of networks.

Usage: python benchmarks/fitting.py [--layers 1000] [--detector plan_aware ...] [--out benchmarks/results]

Layers are those of healthy virtual jobs of `physical` of the shipped parts, 25 layers each, of the size that the
default machine's camera sees (128 x 128 px). The table tells seconds of one process, by the clock and of processor
time, and layers a second. Making the layers is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from machine import processor

from layerwatch import catalogue
from layerwatch.job.machine import default_machine
from layerwatch.journeys.comparison.bench import images_of
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.plates import fill_beds, slice_part
from layerwatch.journeys.synthesise import Wish, plan_plates
from layerwatch.records import LayerImage

_LAYERS = 25  # of a job
_DEFAULT = ("plan_aware", "plan_residual", "pca")


def layers_of(count: int) -> list[LayerImage]:
    """So many healthy layers."""
    machine = default_machine()
    plates = fill_beds([slice_part(part, machine, at_least=_LAYERS) for part in example_parts()], machine)
    wish = Wish(healthy=-(-count // _LAYERS), defective=0, layers=_LAYERS, preset="physical", seed=7)
    jobs = plan_plates(plates, machine, wish).items()
    return [layer.image for name, job in jobs for layer in images_of(replace(job, name=name))][:count]


def fitted(detector: str, images: list[LayerImage]) -> dict[str, float | str | int]:
    """Seconds that it takes to learn from them."""
    built, clock, cpu = catalogue.load("detectors", detector)(), time.perf_counter(), time.process_time()
    built.fit(images, seed=0)
    seconds, busy = time.perf_counter() - clock, time.process_time() - cpu
    return {
        "detector": detector,
        "layers": len(images),
        "s": seconds,
        "cpu_s": busy,
        "layers_a_s": len(images) / seconds,
    }


def main() -> None:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=1000)
    parser.add_argument("--detector", action="append")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    given = parser.parse_args()
    images = layers_of(given.layers)
    rows = [fitted(name, images) for name in given.detector or _DEFAULT]
    print(f"{'detector':16}{'layers':>8}{'s':>8}{'cpu s':>8}{'layers/s':>10}")
    for row in rows:
        print(f"{row['detector']:16}{row['layers']:8}{row['s']:8.1f}{row['cpu_s']:8.1f}{row['layers_a_s']:10.1f}")
    about = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": processor(), "cores": os.cpu_count()}
    given.out.mkdir(parents=True, exist_ok=True)
    size = list(images[0].pixels.shape)
    (given.out / "fitting.json").write_text(json.dumps({**about, "size": size, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
