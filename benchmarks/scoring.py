"""`layerwatch score`: how many healthy jobs are worth learning from, what it takes, and what it says of real photos.

Usage: python benchmarks/scoring.py [--photos FOLDER] [--jobs 24] [--out benchmarks/results]

Jobs: virtual ones of `physical` (14 layers, 64 x 64 px, the shipped parts). The detector is fitted to none or some of
them, then reads healthy jobs that it has not seen, and the same with a warm spot of 4 x 4 px from the ninth layer on.

Photos: the folder of benchmarks/registration.py. Frames are rectified and slices drawn on the same grid, first 2.73 and
9.43 mm along x and y from the corner, where registration finds them, then as they are published.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from machine import processor

from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.images.archive import encode_png
from layerwatch.images.camera_file import read_labelme
from layerwatch.images.folder import read_pixels
from layerwatch.job.layout import fill_bed
from layerwatch.job.machine import default_machine
from layerwatch.job.printing import JobSettings, print_job
from layerwatch.job.ranges import PRESETS
from layerwatch.journeys.plan_source import PlanSource
from layerwatch.journeys.plates import slice_part
from layerwatch.journeys.score import ScoreWish, score
from layerwatch.journeys.score_frames import ScoreSource
from layerwatch.records import LayerImage

PARTS = sorted((Path(__file__).parents[1] / "examples" / "parts").glob("*.stl"))
LAYERS, ONSET, SPOT = 14, 8, 2000 / 65535
SIDE, GRID = 183.9, 750  # mm between the corners of the photos, and px
PLACES = {"slices laid where registration finds them": (2.73, 9.43), "slices as they are published": (0.0, 0.0)}


def virtual_job(number: int) -> list[LayerImage]:
    """One healthy job."""
    machine = replace(default_machine(), width=64, height=64)
    layers = slice_part(PARTS[number % len(PARTS)], machine).layers
    first = min(10, len(layers) - LAYERS)
    settings = JobSettings(
        f"job{number}", (number, 5), machine, fill_bed(layers, machine), first, LAYERS, PRESETS["physical"]()
    )
    return [
        LayerImage(f"job{number}", k, (p.frame / 65535).astype(np.float32), machine.mm_per_px, p.plan)
        for k, p in enumerate(print_job(settings))
    ]


def spotted(job: Sequence[LayerImage], number: int) -> list[LayerImage]:
    """The same job with a warm spot."""
    row, column = np.random.default_rng([number, 3]).integers(8, 52, 2)
    made = [image.pixels.copy() for image in job]
    for pixels in made[ONSET:]:
        pixels[row : row + 4, column : column + 4] += SPOT
    return [replace(image, pixels=pixels) for image, pixels in zip(job, made, strict=True)]


def learning(most: int) -> list[dict[str, Any]]:
    """What fitting to so many healthy jobs does."""
    jobs = [virtual_job(k) for k in range(most + 36)]
    healthy = jobs[most:]
    loud = [spotted(job, k) for k, job in enumerate(healthy)]
    rows = []
    for count in [0, *(n for n in (3, 6, 12, 24, 48) if n <= most)]:
        detector = PlanAware()
        if count:
            detector = detector.fit([image for job in jobs[:count] for image in job])
        start = time.process_time()
        a = np.array([reading.score for job in healthy for reading in detector.follow(job)])
        taken = (time.process_time() - start) / len(a)
        b = np.array([reading.score for job in loud for reading in detector.follow(job)[ONSET:]])
        median, high = (float(q) for q in np.quantile(a, (0.5, 0.99)))
        above = float((b[:, None] > a[None]).mean() + 0.5 * (b[:, None] == a[None]).mean())
        rows.append({"fitted to": count, "median": median, "99 %": high, "AUROC": above, "ms a layer": 1e3 * taken})
    return rows


def photos(folder: Path) -> list[dict[str, Any]]:
    """What is said of the ten photos, with their slices at two places."""
    rows, mm = [], SIDE / GRID
    view = read_labelme((folder / "geometric_corners.json").read_bytes(), "corners", (SIDE, SIDE))
    with tempfile.TemporaryDirectory() as place:
        frames = Path(place) / "frames" / "photos"
        frames.mkdir(parents=True)
        for path in sorted((folder / "melt").glob("*.jpg")):
            bed = np.nan_to_num(view.rectified(read_pixels(path), mm))
            (frames / f"{path.stem}.png").write_bytes(encode_png(np.rint(bed).astype(np.uint8)))
        for what, at in PLACES.items():
            plans = Path(place) / what
            plans.mkdir()
            for path in sorted((folder / "slice").glob("*.bmp")):
                share = PlanSource(path, at=at, mm_per_px=0.125, turn=90, dark=True).coverage((GRID, GRID), mm)
                (plans / f"{path.stem}.png").write_bytes(encode_png(np.rint(255 * share).astype(np.uint8)))
            start = time.process_time()
            done = score(ScoreWish(ScoreSource(frames.parent, plans, mm)), Path(place) / "scores.csv")
            taken = (time.process_time() - start) / len(done.rows)
            verdicts = dict(Counter(row.verdict for row in done.rows))
            scores = [round(row.score, 2) for row in done.rows if np.isfinite(row.score)]
            said = [note.partition("photos")[2] for note in done.notes]
            rows.append({"what": what, "verdicts": verdicts, "scores": scores, "said": said, "s a frame": taken})
    return rows


def main() -> None:
    """Print both tables and write them as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="folder with melt, slice and geometric_corners.json")
    parser.add_argument("--jobs", type=int, default=24, help="healthy jobs to learn from, at most")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    told = parser.parse_args()
    result: dict[str, Any] = {
        "hardware": f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "date": datetime.now(UTC).date().isoformat(),
        "learning": learning(told.jobs),
    }
    if told.photos:
        result["photos"] = photos(told.photos)
    for row in [*result["learning"], *result.get("photos", ())]:
        print(row)
    told.out.mkdir(parents=True, exist_ok=True)
    (told.out / "scoring.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
