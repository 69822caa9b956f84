"""Plan registration on virtual layers of known shift, rotation and scale, and on real photos with their slices.

Usage: python benchmarks/registration.py [--photos FOLDER] [--pictures FOLDER] [--layers 120] [--out benchmarks/results]

Virtual layers: the outline that was printed is known exactly; the plan is that outline moved back by a drawn shift,
rotation and scale. The table tells the mean and the spread of what the registration misses, how often it lies within
two of its sigmas, and how long it takes; then what it says of layers that are hard or that cannot be registered.

Photos: a folder with melt/S01.jpg ..., slice/S01.bmp ... (2160 x 2160 px, 0.125 mm/px, dark part, turned by 90 degrees)
and geometric_corners.json, as published at github.com/Risheng1128/SLM (MIT, Copyright (c) 2022 Risheng). Nothing says
how large the square between the corners is: its side was chosen so that the scale is 1 in the middle of the photos.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from machine import processor
from scipy import ndimage

from layerwatch.images.camera_file import read_labelme
from layerwatch.images.first_place import Reach
from layerwatch.images.folder import read_pixels
from layerwatch.images.overlay import overlay
from layerwatch.images.registration import Registration, register
from layerwatch.job.layout import Instance, fill_bed, moved_on_bed
from layerwatch.job.machine import Machine, default_machine
from layerwatch.job.printing import JobSettings, print_job
from layerwatch.job.ranges import PRESETS, Interval
from layerwatch.journeys.plan_source import PlanSource
from layerwatch.journeys.plates import slice_part
from layerwatch.part.raster import coverages
from layerwatch.records import Island, Layer

ROOT = Path(__file__).parents[1]
PARTS = sorted((ROOT / "examples" / "parts").glob("*.stl"))
SIDE = 183.9  # mm, of the square between the corners of the photos
SHIFT, ROTATION, SCALE = 3.0, 1.0, 0.01  # px, degrees, share: drawn evenly either way
NAMES = ("shift_x_px", "shift_y_px", "rotation", "scale")


@dataclass(frozen=True, eq=False)
class Printed:
    """One virtual frame and the outlines that were printed on it."""

    frame: np.ndarray  # grey
    layers: tuple[Layer, ...]  # mm on the bed
    mm: float

    def coverage(self, change: Callable[[np.ndarray], np.ndarray] = lambda ring: ring) -> np.ndarray:
        """Coverage of the printed outlines, or of changed ones."""
        rings = tuple(
            replace(layer, islands=tuple(_changed(i, change) for i in layer.islands)) for layer in self.layers
        )
        height, width = self.frame.shape
        drawn = coverages(rings, width, height, self.mm) if rings else np.zeros((1, height, width))
        return np.asarray(np.clip(drawn.sum(0), 0, 1), np.float32)


def _changed(island: Island, change: Callable[[np.ndarray], np.ndarray]) -> Island:
    return Island(change(island.outer), tuple(change(hole) for hole in island.holes))


def printed(parts: list[tuple[Layer, ...]], preset: str, machine: Machine, number: int) -> Printed:
    """One frame of a job, its parts somewhere on the bed, any layer."""
    rng = np.random.default_rng([number, machine.width])
    layers = parts[number % len(parts)]
    place = (float(rng.uniform(-20, 20)), float(rng.uniform(-20, 20)))
    instances = moved_on_bed(fill_bed(layers, machine), machine, place)
    layer = int(rng.integers(5, len(layers)))
    ranges = replace(PRESETS[preset](), place=Interval(0.0, 0.0))
    (one,) = print_job(JobSettings("job", (number,), machine, instances, layer, 1, ranges))
    on_bed = tuple(_laid(i, layer) for i in instances)
    return Printed((one.frame / 65535).astype(np.float32), on_bed, machine.mm_per_px)


def _laid(instance: Instance, layer: int) -> Layer:
    at, one = np.array([instance.x, instance.y]), instance.layers[layer]
    return replace(one, islands=tuple(_changed(island, lambda ring: ring + at) for island in one.islands))


def misses(one: Printed, seed: int, reach: Reach) -> tuple[Registration, list[float], list[float], float]:
    """What the registration misses in each of the four numbers (px, rad), its sigmas, and processor seconds."""
    rng, nominal = np.random.default_rng([seed, 7]), one.coverage()
    shift = rng.uniform(-SHIFT, SHIFT, 2) * one.mm
    angle, scale = np.radians(rng.uniform(-ROTATION, ROTATION)), 1 + rng.uniform(-SCALE, SCALE)
    y, x = np.mgrid[: nominal.shape[0], : nominal.shape[1]] + 0.5
    middle = np.array([(nominal * x).sum(), (nominal * y).sum()]) / nominal.sum() * one.mm
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def back(ring: np.ndarray) -> np.ndarray:
        return np.asarray((ring - middle) @ turn.T / scale + middle - shift)

    plan = one.coverage(back)
    start = time.process_time()
    found = register(one.frame, plan, one.mm, reach)
    taken = time.process_time() - start
    if found.placed is None:
        return found, [], [], taken
    p, sigma = found.placed, np.sqrt(np.diag(found.placed.covariance))
    # The pivot of the answer is the plan's own middle; the drawn shift is that of its image of the printed middle.
    seen = (
        np.array(p.pivot_mm) + np.array(p.shift_mm) - (middle + scale * (np.array(p.pivot_mm) - middle + shift) @ turn)
    )
    off = [*(seen / one.mm), np.radians(p.rotation_deg) - angle, p.scale - scale]
    return found, [float(v) for v in off], [*(sigma[:2] / one.mm), *sigma[2:]], taken


def virtual(preset: str, pixels: int, layers: int, parts: list[tuple[Layer, ...]]) -> dict[str, Any]:
    """One row of the table."""
    machine = replace(default_machine(), width=pixels, height=pixels)
    off, sigmas, seconds, refused = [], [], [], []
    for number in range(layers):
        found, error, sigma, taken = misses(printed(parts, preset, machine, number), number, Reach(16.0, 2.0, 0.02))
        seconds.append(taken)
        if found.placed is None:
            refused.append(f"layer {number}: {found.reason}")
        else:
            off.append(error)
            sigmas.append(sigma)
    E, S = np.array(off), np.array(sigmas)
    within = [float((np.abs(E[:, k]) < 2 * S[:, k])[np.isfinite(E[:, k])].mean()) for k in range(4)]
    return {
        "preset": preset,
        "pixels": pixels,
        "layers": layers,
        "refused": refused,
        "mean": dict(zip(NAMES, np.nanmean(E, 0).tolist(), strict=True)),
        "spread": dict(zip(NAMES, np.nanstd(E, 0).tolist(), strict=True)),
        "sigma": dict(zip(NAMES, np.nanmedian(S, 0).tolist(), strict=True)),
        "within_2_sigma": dict(zip(NAMES, within, strict=True)),
        "told": dict(zip(NAMES, np.isfinite(E).mean(0).tolist(), strict=True)),
        "cpu_ms": 1e3 * float(np.median(seconds)),
    }


def photo(folder: Path, number: int, mm: float, pictures: Path | None) -> dict[str, Any]:
    """Read, rectify and register one photo."""
    name, view = f"S{number:02d}", read_labelme(_corners(folder).read_bytes(), "corners", (SIDE, SIDE))
    view.grid(mm)
    start = time.perf_counter()
    frame = view.rectified(read_pixels(folder / "melt" / f"{name}.jpg"), mm)
    read = time.perf_counter() - start
    source = PlanSource(folder / "slice" / f"{name}.bmp", mm_per_px=0.125, turn=90, dark=True)
    plan = source.coverage(frame.shape, mm)
    start = time.perf_counter()
    found = register(frame, plan, mm, Reach(30.0 / mm, 2.0, 0.02))
    row: dict[str, Any] = {"photo": name, "read_s": read, "register_s": time.perf_counter() - start}
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        (pictures / f"{name}.png").write_bytes(overlay(frame, found, 3))
        (pictures / f"{name}.jpg").write_bytes(overlay(frame, found, 2, "JPEG", 70))
    if found.placed is None:
        return row | {"reason": found.reason}
    p = found.placed
    return row | {
        "shift_mm": p.shift_mm,
        "shift_sigma_mm": p.shift_sigma_mm,
        "rotation_deg": p.rotation_deg,
        "rotation_sigma_deg": p.rotation_sigma_deg,
        "scale": p.scale,
        "scale_sigma": p.scale_sigma,
        "significance": p.significance,
        "outline_median_mm": p.shape.median,
        "outline_median_absolute_mm": p.shape.median_absolute,
        "outline_p95_mm": p.shape.p95,
        "outline_point_sigma_mm": p.shape.point_sigma,
        "outline_seen": p.shape.seen,
    }


def _corners(folder: Path) -> Path:
    return folder / "geometric_corners.json"


def hard(parts: list[tuple[Layer, ...]], count: int) -> list[dict[str, Any]]:
    """Layers that are hard, and such as cannot be registered: how many are answered, and how far off."""
    machine, rows = replace(default_machine(), width=256, height=256), []
    sheet = [printed(parts, "physical", machine, 1000 + k) for k in range(count)]
    y, x = np.mgrid[:256, :256] / 255
    slope = np.asarray(0.2 * x - 0.15 * y, np.float32)
    blob = np.asarray(0.2 * (np.hypot(x - 0.5, y - 0.5) < 0.08), np.float32)

    def off(one: Printed, seed: int, frame: np.ndarray) -> float | None:
        found, error, *_ = misses(replace(one, frame=frame.astype(np.float32)), seed, Reach(16.0, 2.0, 0.02))
        return None if found.placed is None else float(np.hypot(error[0], error[1]))

    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "as printed": lambda frame: frame,
        "inverted": lambda frame: 1 - frame,
        "a gradient of 5 times the contrast": lambda frame: frame + slope,
        "a hot spot of 41 px": lambda frame: frame + blob,
        "half of the part not printed": lambda frame: np.where(x > 0.5, ndimage.gaussian_filter(frame, 12), frame),
        "8 bit": lambda frame: np.rint(frame * 255) / 255,
    }
    for what, change in changes.items():
        answers = [off(one, 1000 + k, change(one.frame)) for k, one in enumerate(sheet)]
        told = [a for a in answers if a is not None]
        rows.append({"what": what, "layers": count, "registered": len(told), "worst_px": max(told, default=None)})
    silent = {
        "nothing printed": lambda one: (_bed_only(one), one.coverage()),
        "noise alone": lambda one: (np.random.default_rng(1).normal(0.4, 0.01, (256, 256)), one.coverage()),
        "an empty plan": lambda one: (one.frame, np.zeros((256, 256), np.float32)),
        "a uniform frame": lambda one: (np.full((256, 256), 0.4), one.coverage()),
        "one straight edge": lambda one: (np.where(x > 0.5, 0.4, 0.45), (x > 0.49).astype(np.float32)),
        "nothing of the bed seen": lambda one: (np.full((256, 256), np.nan), one.coverage()),
    }
    for what, make in silent.items():
        found = [register(f.astype(np.float32), plan, 1.0) for f, plan in map(make, sheet)]
        reasons = sorted({one.reason.partition(" (")[0] for one in found if one.reason})
        rows.append({"what": what, "layers": count, "registered": sum(one.is_placed for one in found), "said": reasons})
    return rows


def _bed_only(one: Printed) -> np.ndarray:
    """The frame with texture and lamp, and the part's contrast taken out by the plan itself."""
    share = ndimage.gaussian_filter(one.coverage(), 1.0)
    rest = one.frame - ndimage.gaussian_filter(one.frame, 3.0)
    return np.asarray(0.4 + np.roll(rest * (share < 0.01), (61, 37), (0, 1)), np.float32)


def main() -> None:
    """Print the tables, write JSON and pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="folder with melt, slice and geometric_corners.json")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the photos with their outlines")
    parser.add_argument("--layers", type=int, default=120, help="virtual layers in each row")
    parser.add_argument("--mm-per-px", type=float, default=0.5, help="of the rectified photos")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    told = parser.parse_args()
    result: dict[str, Any] = {
        "hardware": f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "date": datetime.now(UTC).date().isoformat(),
    }
    if told.layers:
        parts = [slice_part(path, default_machine()).layers for path in PARTS]
        rows = [virtual(preset, px, told.layers, parts) for preset in ("paper", "physical") for px in (128, 256)]
        rows.append(virtual("physical", 512, max(told.layers // 4, 1), parts))
        for row in rows:
            print(
                f"{row['preset']:9s}{row['pixels']:4d} px {row['layers']:4d} layers  {row['cpu_ms']:6.0f} ms of a core"
            )
            for key in ("mean", "spread", "sigma", "within_2_sigma", "told"):
                print(f"  {key:16s}" + "".join(f"{row[key][name]:11.5f}" for name in NAMES))
            print("  refused:", row["refused"] or "none")
        result["virtual"], result["hard"] = rows, hard(parts, max(told.layers // 10, 2))
        for row in result["hard"]:
            print(row)
    if told.photos:
        rows = [photo(told.photos, number, told.mm_per_px, told.pictures) for number in range(1, 11)]
        print("photo  shift x, y mm     sigma        rotation deg     scale            outline |median| 95 % seen s")
        for r in rows:
            print(_line(r))
        result["photos"] = {"mm_per_px": told.mm_per_px, "side_mm": SIDE, "rows": rows}
    told.out.mkdir(parents=True, exist_ok=True)
    (told.out / "registration.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _line(r: dict[str, Any]) -> str:
    if "reason" in r:
        return f"{r['photo']}: {r['reason']}"
    (x, y), (sx, sy) = r["shift_mm"], r["shift_sigma_mm"]
    return (
        f"{r['photo']}  {x:+7.3f} {y:+7.3f}  {sx:.3f} {sy:.3f}  {r['rotation_deg']:+.3f} {r['rotation_sigma_deg']:.3f}"
        f"  {r['scale']:.4f} ± {r['scale_sigma']:.4f}  {r['outline_median_absolute_mm']:.3f} {r['outline_p95_mm']:.3f}"
        f"  {r['outline_seen']:.2f}  {r['read_s']:.2f} + {r['register_s']:.2f}"
    )


if __name__ == "__main__":
    main()
