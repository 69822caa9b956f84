"""The constants of an unfitted `plan_aware`: what healthy virtual jobs answer, by age.

Usage: python benchmarks/healthy_answers.py --part A.stl [--part B.stl ...] [--jobs 60] [--layers 24]
           [--out benchmarks/results]

Prints the tables that stand in src/layerwatch/detectors/signals/usual.py and writes them as JSON. Jobs are those of
`physical`, each part fills the bed in turn.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from machine import processor

from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.job.machine import Machine, default_machine
from layerwatch.job.printing import print_job
from layerwatch.journeys.plates import fill_beds, slice_part
from layerwatch.journeys.synthesise import Wish, plan_plates
from layerwatch.records import LayerImage

TABLES = ("centre", "reach", "settled", "sustained", "loudest")


def healthy_layers(parts: Sequence[Path], jobs: int, layers: int, machine: Machine) -> list[LayerImage]:
    """Every layer of every job, in order."""
    plates = fill_beds([slice_part(part, machine, at_least=layers) for part in parts], machine)
    wish = Wish(healthy=jobs, defective=0, layers=layers, preset="physical", seed=1)
    return [
        LayerImage(name, p.layer, (p.frame / 65535).astype(np.float32), machine.mm_per_px, p.plan, coverage=p.coverage)
        for name, settings in plan_plates(plates, machine, wish).items()
        for p in print_job(settings)
    ]


def main() -> None:
    """Fit, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", type=Path, action="append", required=True)
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    asked = parser.parse_args()
    images = healthy_layers(asked.part, asked.jobs, asked.layers, default_machine())
    began = time.process_time()
    learnt = PlanAware(prior=0).fit(images).arrays()
    seconds = time.process_time() - began
    for name in TABLES:
        print(f"{name.upper()} = np.array((")
        for row in np.round(learnt[name].T, 2) + 0.0:
            print("    (" + ", ".join(f"{value:.2f}" for value in row) + "),")
        print(")).T")
    print(f"{len(images)} layers of {asked.jobs} jobs: {1e3 * seconds / len(images):.0f} ms of a core each")
    told = {
        "parts": [part.name for part in asked.part],
        "jobs": asked.jobs,
        "layers": asked.layers,
        "milliseconds_a_layer": 1e3 * seconds / len(images),
        "processor": processor(),
        "date": datetime.now(UTC).date().isoformat(),
        "tables": {name: np.round(learnt[name], 2).tolist() for name in TABLES},
    }
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "healthy_answers.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
