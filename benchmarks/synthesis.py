"""Virtual jobs printed by one process and by two, on the example parts, in one run -> a table and synthesis.json.

Usage: python benchmarks/synthesis.py [--jobs 100] [--rounds 3] [--out synthesis.json]
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from layerwatch.job.machine import default_machine
from layerwatch.journeys.synthesise import SlicedPart, Wish, crew_of, plan_jobs, print_archive, slice_part
from layerwatch.recipes import PAPER_DEFECTS

PARTS = sorted((Path(__file__).parent.parent / "examples" / "parts").glob("*.stl"))
WORKERS = (1, 2)


def seconds(parts: list[SlicedPart], wish: Wish, workers: int) -> float:
    """From planned jobs to a finished archive on disk, the start of the processes included."""
    jobs = plan_jobs(parts, default_machine(), wish)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        print_archive(Path(folder, "a"), parts, default_machine(), jobs, {}, crew=crew_of("processes", workers))
        return time.perf_counter() - start


def measure(what: str, parts: list[SlicedPart], wish: Wish, rounds: int) -> dict[str, Any]:
    """Layers per second with one and with two processes, by turns."""
    taken: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    for _ in range(rounds):
        for workers in WORKERS:
            taken[workers].append(seconds(parts, wish, workers))
    layers = wish.layers * (wish.healthy + wish.defective * len(wish.kinds))
    one, two = (median(taken[workers]) for workers in WORKERS)
    ratio = median(a / b for a, b in zip(taken[1], taken[2], strict=True))
    return {"what": what, "layers": layers, "one_per_s": layers / one, "two_per_s": layers / two, "ratio": ratio}


def main() -> None:
    """Print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("synthesis.json"))
    options = parser.parse_args()
    parts = [slice_part(path, default_machine()) for path in PARTS]
    each = max(options.jobs // (2 * len(PAPER_DEFECTS)), 1)
    rows = [
        measure("healthy", parts, Wish(healthy=options.jobs, defective=0), options.rounds),
        measure("one defect a job", parts, Wish(0, each, defects=PAPER_DEFECTS), options.rounds),
    ]
    print(f"{'128 x 128 px, files written':30s}{'1 process':>12s}{'2 processes':>13s}{'times':>8s}   layers/s")
    for r in rows:
        print(f"{r['what']:30s}{r['one_per_s']:12.0f}{r['two_per_s']:13.0f}{r['ratio']:8.2f}")
    told = {"machine": platform.processor() or platform.machine(), "rounds": options.rounds, "rows": rows}
    options.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
