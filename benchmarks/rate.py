"""One layer from file to stored verdict, and eight printers at once -> times with their parts, as a table and JSON.

    python benchmarks/rate.py --out benchmarks/results/rate.json --proofs results/proofs-rate.json

Eight printers give a layer every two seconds each (R8), or one printer as fast as it can (R7: 20 times the rate).
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np

from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.images.binning import binned
from layerwatch.images.plain_gate import plain_gate
from layerwatch.inspection.cameras.virtual import Virtual
from layerwatch.inspection.deliveries import Delivery
from layerwatch.inspection.examiner import Examiner
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.reading import FrameReader
from layerwatch.inspection.scorer import Inspected
from layerwatch.inspection.service import Line, Service
from layerwatch.inspection.spool import Spool
from layerwatch.job.machine import Machine, default_machine
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.serve import open_journal
from layerwatch.journeys.serving.virtual_plant import JOB, PlantWish, VirtualJob, healthy_jobs, plate_of, virtual_job
from layerwatch.verdict.alarm import AlarmRules
from layerwatch.verdict.judge import Judge
from layerwatch.verdict.localise import fit_spread
from layerwatch.verdict.threshold import fit_threshold

SIZES = {
    "128 x 128": (128, 128, 3.75, 1),
    "640 x 480, binned to 160 x 120": (640, 480, 1.0, 4),
    "640 x 480": (640, 480, 1.0, 1),
}  # px, px, mm a pixel, binning
FAST, FASTER = "128 x 128", 20
SLOPE = 1.0  # MB an hour that resident memory may grow
PRINTERS, EVERY, LIMIT = 8, 2.0, 2.0  # s between two layers of a printer, and s that p99 may be


@dataclass(frozen=True, eq=False)
class Bench:
    """What is judged, and how."""

    machine: Machine
    binning: int
    job: VirtualJob
    detector: PlanAware
    judge: Judge

    def line(self, printer: str, folder: Path, pace: float, repeats: int) -> Line:
        """One printer that prints the job so many times, each under a name of its own."""
        frames = [replace(frame, job=f"{JOB}-{n}") for n in range(repeats) for frame in self.job.frames]
        size = (self.machine.height // self.binning, self.machine.width // self.binning)
        examiner = Examiner(self.detector, self.judge, size, plain_gate(size))
        plans, machine = self.job.plans, self.machine
        reader = FrameReader(
            Spool(folder), lambda _, layer: plans.get(layer), machine.mm_per_px, machine.span, binning=self.binning
        )
        inspected = Inspected(printer, examiner, reader, AlarmRules(5.0, unit="K"), self.machine.layer_height)
        late = pace * int(printer.rpartition("-")[2]) / PRINTERS  # printers are not in step
        return Line(Late(printer, frames, pace, late), inspected)


@dataclass(eq=False)
class Late(Virtual):
    """A virtual printer that begins later."""

    late: float = 0.0  # s

    def deliveries(self, stop: Event) -> Iterator[Delivery]:
        """See Camera."""
        stop.wait(self.late)
        yield from super().deliveries(stop)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--out", type=Path, default=Path("rate.json"))
    parser.add_argument("--size", action="append", choices=list(SIZES), help="may be repeated; default: all")
    parser.add_argument("--soak", type=float, default=0.0, help="minutes at full rate for R9; 0: none")
    parser.add_argument("--proofs", type=Path, default=None)
    given = parser.parse_args()
    told: list[dict[str, Any]] = []
    for name, (width, height, scale, binning) in SIZES.items():
        if given.size and name not in given.size:
            continue
        usual = default_machine()
        bed = (width * scale, height * scale, usual.bed[2])
        bench = bench_of(replace(usual, width=width, height=height, bed=bed), given.layers, binning)
        told.append({"size": name, "case": "one printer, one after another", **measured(bench, 1, 0.0)})
        told.append(
            {"size": name, "case": f"{PRINTERS} printers, one layer in {EVERY:g} s", **measured(bench, 8, EVERY)}
        )
        if name == FAST:
            told.append(
                {"size": name, "case": f"{PRINTERS} printers, {FASTER} times", **measured(bench, 8, EVERY / FASTER)}
            )
            if given.soak:
                told.append({"size": name, "case": "soak", **soaked(bench, given.soak)})
        for row in told[-4:]:
            print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    where = {"machine": platform.processor() or platform.machine(), "date": time.strftime("%Y-%m-%d"), "rows": told}
    given.out.write_text(json.dumps(where, indent=1) + "\n", encoding="utf-8")
    if given.proofs is not None:
        given.proofs.write_text(json.dumps(proofs(told, given.layers), indent=1) + "\n", encoding="utf-8")


def bench_of(machine: Machine, layers: int, binning: int) -> Bench:
    """A virtual job, and a detector that has learnt from others."""
    wish = PlantWish(example_parts()[0], machine, layers)
    plate = plate_of(wish)
    jobs = [[binned(image, binning) for image in job] for job in healthy_jobs(wish, plate, 3, 12)]
    detector = PlanAware().fit([image for job in jobs[:2] for image in job])
    readings = detector.follow(jobs[2])
    scores = np.array([one.score for one in readings])
    spread = fit_spread([one.heat for one in readings if one.heat is not None], [image.plan for image in jobs[2]])
    return Bench(machine, binning, virtual_job(wish, plate), detector, Judge(fit_threshold(scores, 0.1), spread))


def measured(bench: Bench, printers: int, pace: float) -> dict[str, Any]:
    """Serve, and read from the journal how long it took from received to stored, in ms."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = open_journal(folder)
        lines = [bench.line(f"printer-{n}", folder, pace, 1) for n in range(printers)]
        begun = time.perf_counter()
        Service(folder, journal, lines, {}).run(Event(), until_done=True)
        took = time.perf_counter() - begun
        rows = waits(journal, printers)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**rows, "layers a second": round(printers * len(bench.job.frames) / took, 2), "MB at most": round(memory)}


def soaked(bench: Bench, minutes: float) -> dict[str, Any]:
    """Full rate for some minutes: how memory and open files go."""
    jobs = max(int(60 * minutes / (EVERY * len(bench.job.frames))), 1)
    seen: list[tuple[float, float, int]] = []
    stop = Event()

    def watch() -> None:
        while not stop.wait(2.0):
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            files = len(list(Path("/proc/self/fd").iterdir()))
            seen.append((time.monotonic(), pages * resource.getpagesize() / 1e6, files))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal = open_journal(folder)
        lines = [bench.line(f"printer-{n}", folder, EVERY, jobs) for n in range(PRINTERS)]
        watcher = Thread(target=watch, daemon=True)
        watcher.start()
        Service(folder, journal, lines, {}).run(Event(), until_done=True)
        stop.set()
        watcher.join()
        layers = journal.counts()["verdicts"]
    late = seen[len(seen) // 3 :]
    at, megabytes, files = (np.array([one[k] for one in late]) for k in range(3))
    slope = float(np.polyfit(at, megabytes, 1)[0]) * 3600
    ends = {"MB": [round(float(megabytes[0]), 1), round(float(megabytes[-1]), 1)]}
    return {
        "minutes": minutes,
        "layers": layers,
        "MB an hour": round(slope, 1),
        **ends,
        "files": [int(files.min()), int(files.max())],
    }


def waits(journal: Journal, printers: int) -> dict[str, Any]:
    """Percentiles over all layers, and the median of each part."""
    stored = [one for n in range(printers) for one in journal.verdicts_of(f"printer-{n}", f"{JOB}-0")]
    by_printer = [[one.layer for one in journal.verdicts_of(f"printer-{n}", f"{JOB}-0")] for n in range(printers)]
    parts = [one.body["seconds"] for one in stored]
    whole = [1e3 * sum(one.values()) for one in parts]
    since = [1e3 * (one.judged - one.body["received"]) for one in stored]
    names = ("read", "judge", "localise", "store")
    medians = {
        f"{part} p50 ms": round(1e3 * float(np.median([one.get(part, 0.0) for one in parts])), 1) for part in names
    }
    p = {f"work p{q} ms": round(float(np.percentile(whole, q)), 1) for q in (50, 99)}
    return {
        **p,
        **medians,
        **{f"received to stored p{q} ms": round(float(np.percentile(since, q)), 1) for q in (50, 99)},
        "layers": len(stored),
        "in order": all(layers == sorted(layers) for layers in by_printer),
    }


def proofs(told: list[dict[str, Any]], layers: int) -> list[dict[str, Any]]:
    """R7, R8 and R9 as rows of results/proofs.json."""
    date, command = time.strftime("%Y-%m-%d"), "python benchmarks/rate.py"
    rows: list[dict[str, Any]] = []

    def add(proof: str, figure: str, target: str, passed: bool) -> None:
        told = {"id": proof, "command": command, "figure": figure, "target": target, "pass": passed, "date": date}
        rows.append(told)

    for row in told:
        size, case = row["size"], row["case"]
        if case == "soak":
            figure = f"{row['MB an hour']} MB an hour over {row['minutes']:g} min, files {row['files']}"
            add("R9", figure, f"at most {SLOPE:g} MB an hour, files constant", row["MB an hour"] <= SLOPE)
        elif case.endswith("times"):
            whole = row["layers"] == PRINTERS * layers and row["in order"]
            figure = f"{row['layers']} of {PRINTERS * layers} layers judged, in order, {row['MB at most']} MB at most"
            add("R7", figure, "nothing dropped, memory bounded, order kept", whole)
        elif "printers" in case:
            p99 = row["received to stored p99 ms"] / 1e3
            add("R8", f"plan_aware, {size}: p99 {p99:.2f} s", f"p99 at most {LIMIT:g} s", p99 <= LIMIT)
    return rows


if __name__ == "__main__":
    main()
