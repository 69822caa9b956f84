"""Virtual jobs: layers per second beside the plain per-layer way, the paper's whole set, workers -> table, JSON, plot.

Usage: python benchmarks/synthesis.py [--rounds 3] [--quick] [--out benchmarks/results]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread a process, for both ways

import matplotlib as mpl
import numpy as np
from jaxtyping import Float64
from machine import processor
from PIL import Image, ImageDraw
from scipy import ndimage

from layerwatch.images.archive import Archive
from layerwatch.job.layout import Instance, fill_bed
from layerwatch.job.machine import Machine, default_machine
from layerwatch.job.printing import DefectOrder, JobSettings, print_job
from layerwatch.job.ranges import PRESETS, draw_conditions
from layerwatch.job.thermal import Kernel
from layerwatch.journeys.plates import slice_part
from layerwatch.journeys.synthesise import Wish, crew_of, plan_jobs, print_archive
from layerwatch.recipes import PAPER_DEFECTS
from layerwatch.records import Layer

mpl.use("Agg")

PARTS = sorted((Path(__file__).parent.parent / "examples" / "parts").glob("*.stl"))
LAYERS = 280  # kept, of the one long job; the part has 297
FINER = 4  # the plain way draws masks so much finer


def job_of(pixels: int, preset: str, layers: int = LAYERS, part: Path = PARTS[0]) -> JobSettings:
    """One job of the water-jacket core with a foreign object."""
    machine = replace(default_machine(), width=pixels, height=pixels)
    sliced = slice_part(part, machine)
    order = (DefectOrder("foreign_object", 4.0, 30 + layers // 8, 12),)
    return JobSettings("job", (0,), machine, fill_bed(sliced.layers, machine), 12, layers, PRESETS[preset](), order, 12)


def printed(job: JobSettings) -> int:
    """Our way."""
    return sum(layer.frame.size for layer in print_job(job))


def plain(job: JobSettings) -> int:
    """The same model layer by layer with scipy.ndimage and Pillow, as one first writes it; no severity, no trace."""
    rng, machine = np.random.default_rng(0), job.machine
    c, kernel = draw_conditions(job.ranges, rng), Kernel.conduction(machine.layer_time)
    size, mm = (machine.height, machine.width), machine.mm_per_px
    heat = [np.zeros(size) for _ in kernel.weights]
    fields = [np.zeros(size), np.zeros(size)]
    lamp, pattern, total = rng.normal(size=size), c.fixed_pattern * rng.normal(size=size), 0
    lamp = ndimage.gaussian_filter(lamp, c.lamp_length / mm / 2, mode="wrap")
    lamp /= lamp.std()
    along = (c.texture_length * c.anisotropy / mm / 2, c.texture_length / mm / 2)
    y, x = np.indices(size)
    defect = np.hypot(y - size[0] / 2, x - size[1] / 2) < 15 / mm
    for index in range(job.first_layer - job.burn_in, job.last_layer + 1):
        mask, plan = drawn(job.instances, index, machine)
        fresh = c.lamp * (1 + c.uneven * lamp) - c.sand - c.binder * mask + 0.5 * defect
        seen = np.full(size, c.chamber)
        for i, (weight, rate) in enumerate(zip(kernel.weights, kernel.rates, strict=True)):
            heat[i] = rate * ndimage.gaussian_filter(heat[i], c.creep / mm, mode="wrap") + fresh
            seen += weight * heat[i]
        for i in (0, 1):
            field = ndimage.gaussian_filter(rng.normal(size=size), along, mode="wrap")
            fields[i] = c.texture_memory * fields[i] + np.sqrt(1 - c.texture_memory**2) * field / field.std()
        seen += c.bed_texture * fields[0] * (1 - mask) + c.part_texture * fields[1] * mask
        seen = c.reflected + (c.emissivity + c.emissivity_step * mask) * (seen - c.reflected)
        seen = ndimage.gaussian_filter(seen, c.blur, mode="wrap") + pattern
        seen += machine.noise * rng.normal(size=size)
        truth = ndimage.gaussian_filter(0.5 * defect, c.blur) > 0.1
        low, high = machine.span
        frame = np.rint(np.clip((seen - low) / (high - low), 0, 1) * 65535).astype(np.uint16)
        total += frame.size + int(truth.sum() + plan.sum() > 0)
    return total


def drawn(
    instances: Sequence[Instance], index: int, machine: Machine
) -> tuple[Float64[np.ndarray, "h w"], Float64[np.ndarray, "h w"]]:
    """Mask and plan of one layer, drawn finer and averaged."""
    image = Image.new("L", (FINER * machine.width, FINER * machine.height))
    pen = ImageDraw.Draw(image)
    for instance in instances:
        layer: Layer = instance.layers[index]
        for island in layer.islands:
            for ring, value in ((island.outer, 1), *((hole, 0) for hole in island.holes)):
                at = (ring + np.array([instance.x, instance.y])) / machine.mm_per_px * FINER
                pen.polygon([tuple(point) for point in at.tolist()], fill=value)
    fine = np.asarray(image, float).reshape(machine.height, FINER, machine.width, FINER)
    mask = fine.mean((1, 3))
    return mask, (mask >= 0.5).astype(float)


def seconds(ways: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """All ways by turns, so that whatever else the machine does hits all alike."""
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for call, kept in zip(ways, taken, strict=True):
            start = time.perf_counter()
            call()
            kept.append(time.perf_counter() - start)
    return taken


def against_plain(pixels: int, target: float, rounds: int, layers: int) -> list[dict[str, Any]]:
    """Layers kept per second of one process, and how many times the plain way that is."""
    job = job_of(pixels, "physical", layers)
    ours, theirs = seconds((lambda: printed(job), lambda: plain(job)), rounds)
    speed, ratio = layers / median(ours), median(b / a for a, b in zip(ours, theirs, strict=True))
    what = f"physical, {pixels} x {pixels}, one defect, truth"
    return [
        row(f"{what}: layers/s", speed, layers / median(theirs), speed / target, target, "layers/s"),
        row(f"{what}: times the plain way", ratio, 1.0, ratio, 3.0, "x"),
    ]


def row(what: str, ours: float, peer: float | None, ratio: float, target: float, unit: str) -> dict[str, Any]:
    """One line of the table; ``ratio`` is ours over peer's, or over the target where there is no peer."""
    return {"what": what, "ours": ours, "peer": peer, "ratio": ratio, "target": target, "unit": unit}


def whole_set(workers: int, wish: Wish) -> tuple[float, int, int]:
    """Seconds from parts to a finished archive; healthy and defective layers in it."""
    machine = default_machine()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        parts = [slice_part(path, machine, at_least=wish.layers) for path in PARTS]
        jobs = plan_jobs(parts, machine, wish)
        archive = print_archive(Path(folder, "a"), parts, machine, jobs, {}, crew=crew_of("processes", workers))
        return time.perf_counter() - start, *counted(archive)


def counted(archive: Archive) -> tuple[int, int]:
    """Healthy layers of healthy jobs, and defective ones."""
    rows = [
        (job, r["label"])
        for job in archive.jobs
        for r in json.loads((archive.folder / "truth" / f"{job}.json").read_bytes())
    ]
    healthy = sum(job.startswith("healthy") for job, _ in rows)
    return healthy, sum(not job.startswith("healthy") and label not in {"healthy", "trace"} for job, label in rows)


def growth(rounds: int) -> list[dict[str, float]]:
    """Milliseconds a layer against pixels."""
    found = []
    for pixels in (64, 128, 256, 512, 1024):
        job = job_of(pixels, "physical", 24 if pixels > 256 else 64)
        taken = median(seconds((lambda job=job: printed(job),), rounds)[0])  # type: ignore[misc] # bound at once
        found.append({"pixels": pixels, "ms": 1e3 * taken / job.layers})
    return found


def plot(points: list[dict[str, float]], path: Path) -> None:
    """Cost against pixels, both on logarithmic axes."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    pixels, ms = [p["pixels"] ** 2 for p in points], [p["ms"] for p in points]
    axes.loglog(pixels, ms, "o-", color="#0072B2", label="physical, one defect, burn-in and severity included")
    axes.loglog(
        pixels, [ms[-1] * n / pixels[-1] for n in pixels], "--", color="#999999", label="proportional to pixels"
    )
    axes.set(xlabel="pixels of a frame", ylabel="ms a layer kept, one thread")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=130)


def flops(pixels: int) -> float:
    """Floating-point operations of a layer's transforms: four real ones and a complex one."""
    n = pixels**2
    return (4 * 2.5 + 5) * n * float(np.log2(n))


def main() -> None:
    """Print the table, write JSON and plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the amounts, to see it run")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    scale = 10 if options.quick else 1
    rows = against_plain(128, 300, options.rounds, LAYERS // scale)
    rows += against_plain(512, 25, 1 if options.quick else options.rounds, LAYERS // scale)
    wish = Wish(healthy=500 // scale, defective=76 // scale, layers=10, defects=PAPER_DEFECTS)
    taken, healthy, defective = whole_set(2, wish)
    target = 40.0 / scale
    rows.append(
        row(
            f"the paper's set, {healthy} healthy + {defective} defective, 2 workers",
            taken,
            None,
            target / taken,
            target,
            "s",
        )
    )
    alone, _, _ = whole_set(1, wish)
    rows.append(row("2 workers against 1, the same set", alone / taken, 1.0, alone / taken, 1.8, "x"))
    points = growth(1 if options.quick else options.rounds)
    options.out.mkdir(parents=True, exist_ok=True)
    plot(points, options.out / "synthesis_growth.png")
    print(f"{'':72s}{'ours':>9s}{'peer':>9s}{'ratio':>8s}{'target':>8s}")
    for r in rows:
        peer = "" if r["peer"] is None else f"{r['peer']:.1f}"
        print(f"{r['what']:72s}{r['ours']:9.1f}{peer:>9s}{r['ratio']:8.2f}{r['target']:8g} {r['unit']}")
    gigaflops = rows[0]["ours"] * flops(128) / 1e9
    print(
        f"transforms alone: {gigaflops:.2f} GFLOP/s at 128 x 128, {rows[2]['ours'] * flops(512) / 1e9:.2f} at 512 x 512"
    )
    told = {
        "rows": rows,
        "growth": points,
        "transform_gflop_per_s": gigaflops,
        "processor": processor(),
        "processors": os.cpu_count(),
        "date": datetime.now(UTC).date().isoformat(),
        "numpy": np.__version__,
        "command": "python benchmarks/synthesis.py" + (" --quick" if options.quick else ""),
    }
    (options.out / "synthesis.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
