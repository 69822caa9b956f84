"""One setting of f-AnoGAN at several values, the same seeds: what it does to AUROC and to time -> table, JSON.

Usage: python benchmarks/vary.py LEARN JUDGE... --setting precision --values fp32,bf16 --name precision
           [--seeds 0,1,2] [--recipe cpu] [--set gan_steps=1500]... [--read fp32] [--models DIR] [--out DIR]

LEARN and JUDGE are archives of `layerwatch synthesise`. A model that stands in --models is not trained again, an
interrupted training goes on, and rows that stand in the JSON file stay: the work can be spread over several calls.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import processor

from layerwatch.detectors.fanogan import Fanogan
from layerwatch.detectors.networks.compute import has_fast_bf16
from layerwatch.evaluation.metrics import auroc
from layerwatch.journeys.evaluate import score
from layerwatch.journeys.sources import healthy_images, labelled_images
from layerwatch.journeys.train import Training, load_stored, train

Rows = list[dict[str, Any]]
SCORES = ("A_R", "A_D", "score")
_KEYS = ("setting", "value", "recipe", "changes", "seed", "judge")  # what tells rows apart
_ALLOWED = 0.02  # of AUROC that a cheaper setting may cost


def wanted_of() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("learn", type=Path)
    parser.add_argument("judge", type=Path, nargs="+")
    parser.add_argument("--setting", required=True)
    parser.add_argument("--values", required=True, type=lambda text: text.split(","))
    parser.add_argument("--name", required=True, help="of the JSON file")
    parser.add_argument("--seeds", default=[0, 1, 2], type=lambda text: [int(seed) for seed in text.split(",")])
    parser.add_argument("--recipe", default="cpu")
    parser.add_argument("--set", action="append", default=[], dest="changes")
    parser.add_argument("--read", default="", help="precision in which models are read; default: their own")
    parser.add_argument("--models", type=Path, default=Path("models-of-settings"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


def main() -> None:
    """Train what is missing, measure what is missing, print and write."""
    wanted = wanted_of()
    path: Path = wanted.out / f"{wanted.name}.json"
    rows: Rows = json.loads(path.read_text())["rows"] if path.exists() else []
    for seed in wanted.seeds:
        for value in wanted.values:
            model = wanted.models / f"{wanted.recipe}-{'-'.join(wanted.changes)}-{wanted.setting}-{value}-{seed}"
            trained_in = None
            for judge in wanted.judge:
                key = (wanted.setting, value, wanted.recipe, sorted(wanted.changes), seed, judge.name)
                if any(key == tuple(row[k] for k in _KEYS) for row in rows):
                    continue
                if not model.exists():
                    changes = [*wanted.changes, f"{wanted.setting}={value}"]
                    training, start = (
                        Training.named("fanogan", wanted.recipe, seed, changes=changes),
                        time.perf_counter(),
                    )
                    train(healthy_images(wanted.learn), training, model)
                    trained_in = time.perf_counter() - start
                row = (
                    dict(zip(_KEYS, key, strict=True))
                    | {"trained_in_s": trained_in}
                    | measured(model, judge, wanted.read)
                )
                print({k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}, flush=True)
                rows.append(row)
                write(rows, path)
    tell(rows, wanted.setting, wanted.values)


def measured(model: Path, judge: Path, read: str = "") -> dict[str, Any]:
    """AUROC of A_R, A_D and A over all defects of an archive, and the time of a reading."""
    data, stored = labelled_images(judge), load_stored(model)
    if read and isinstance(stored.detector, Fanogan):
        stored.detector.precision = read
    score("fanogan", stored, type(data)(data.images[:64], data.kinds[:64]))
    start = time.perf_counter()
    found = score("fanogan", stored, data)
    took = time.perf_counter() - start
    kinds, jobs = np.array(found.data.kinds), np.array([image.job for image in found.data.images])
    healthy, bad = kinds == "healthy", (kinds != "healthy") & (kinds != "")
    values = {name: np.array([getattr(r, name) for r in found.readings]) for name in SCORES}
    areas = {
        name: auroc(each[healthy], each[bad], list(jobs[healthy]), list(jobs[bad])).value
        for name, each in values.items()
    }
    return {**areas, "ms_a_frame": 1e3 * took / len(found.readings), "date": datetime.now(UTC).date().isoformat()}


def tell(rows: Rows, setting: str, values: list[str]) -> None:
    """What each value costs against the first one, seed by seed, for every schedule and archive."""
    groups = sorted({(row["recipe"], tuple(row["changes"]), row["judge"]) for row in rows if row["setting"] == setting})
    for recipe, changes, judge in groups:
        here = [r for r in rows if (r["recipe"], tuple(r["changes"]), r["judge"]) == (recipe, changes, judge)]
        of = {v: {r["seed"]: r for r in here if r["setting"] == setting and r["value"] == v} for v in values}
        print(f"{judge}, recipe {recipe} {' '.join(changes)}")
        for value in values:
            shared = sorted(set(of[value]) & set(of[values[0]]))
            if not shared:
                continue
            mean = {name: float(np.mean([of[value][s][name] for s in shared])) for name in (*SCORES, "ms_a_frame")}
            cost = np.array([of[values[0]][s]["A_D"] - of[value][s]["A_D"] for s in shared])
            print(
                f"  {setting}={value}: AUROC A_R {mean['A_R']:.3f}, A_D {mean['A_D']:.3f}, A {mean['score']:.3f}, "
                f"{mean['ms_a_frame']:.2f} ms a frame; A_D is {cost.mean():+.4f} below {values[0]}, by seed "
                f"{np.round(cost, 4).tolist()} (allowed {_ALLOWED})"
            )


def write(rows: Rows, path: Path) -> None:
    """Everything as JSON."""
    told = {
        "machine": processor(),
        "torch": torch.__version__,
        "fast_bf16": has_fast_bf16(),
        "allowed": _ALLOWED,
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
