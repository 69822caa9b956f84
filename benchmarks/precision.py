"""f-AnoGAN trained in fp32 and in bf16, the same seeds: what bf16 costs in AUROC and gains in time -> table, JSON.

Usage: python benchmarks/precision.py LEARN JUDGE... [--seeds 3] [--set gan_steps=1500] [--models DIR] [--out DIR]

LEARN and JUDGE are archives of `layerwatch synthesise`. A model that stands in --models already is not trained again.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import processor

from layerwatch.detectors.networks.compute import has_fast_bf16
from layerwatch.evaluation.metrics import auroc
from layerwatch.journeys.evaluate import score
from layerwatch.journeys.sources import healthy_images, labelled_images
from layerwatch.journeys.train import Training, load_stored, train

PRECISIONS = ("fp32", "bf16")
_ALLOWED = 0.02  # of AUROC


def measured(model: Path, judge: Path) -> dict[str, float]:
    """AUROC of A_R, A_D and A over all defects of an archive."""
    found = score("fanogan", load_stored(model), labelled_images(judge))
    kinds, jobs = np.array(found.data.kinds), np.array([image.job for image in found.data.images])
    healthy, bad = kinds == "healthy", (kinds != "healthy") & (kinds != "")
    values = {name: np.array([getattr(r, name) for r in found.readings]) for name in ("A_R", "A_D", "score")}
    return {
        name: auroc(each[healthy], each[bad], list(jobs[healthy]), list(jobs[bad])).value
        for name, each in values.items()
    }


def main() -> None:
    """Train what is missing, measure, print and write precision.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("learn", type=Path)
    parser.add_argument("judge", type=Path, nargs="+")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--recipe", default="cpu")
    parser.add_argument("--set", action="append", default=[], dest="changes")
    parser.add_argument("--models", type=Path, default=Path("precision-models"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    wanted = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for seed in range(wanted.seeds):
        for precision in PRECISIONS:
            model = wanted.models / f"m-{precision}-{seed}"
            if not model.exists():
                changes = [*wanted.changes, f"precision={precision}"]
                train(
                    healthy_images(wanted.learn), Training.named("fanogan", wanted.recipe, seed, changes=changes), model
                )
            for judge in wanted.judge:
                rows.append({"seed": seed, "precision": precision, "judge": judge.name, **measured(model, judge)})
                print({k: round(v, 4) if isinstance(v, float) else v for k, v in rows[-1].items()}, flush=True)
    tell(rows, wanted.out / "precision.json", wanted.changes)


def tell(rows: list[dict[str, Any]], path: Path, changes: list[str]) -> None:
    """Mean difference of A_D's AUROC for each archive, and everything as JSON."""
    for judge in sorted({row["judge"] for row in rows}):
        of = {p: np.array([r["A_D"] for r in rows if r["judge"] == judge and r["precision"] == p]) for p in PRECISIONS}
        cost = of["fp32"] - of["bf16"]
        print(f"{judge}: AUROC of A_D in bf16 is {cost.mean():+.4f} below fp32, by seed {np.round(cost, 4).tolist()}")
        print(f"  allowed {_ALLOWED}; seeds alone move it by {of['fp32'].std(ddof=1) if len(cost) > 1 else 0:.4f}")
    told = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": processor(),
        "torch": torch.__version__,
        "fast_bf16": has_fast_bf16(),
        "settings": changes,
        "allowed": _ALLOWED,
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
