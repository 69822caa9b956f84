"""PaDiM and PatchCore of anomalib on the jobs of `layerwatch compare`: the same layers, line and columns.

Needs an environment of its own with anomalib 2.7, never layerwatch's, and a backbone that is not shipped: a folder
with `mobilenet_v1.py` (class MobileNetV1, an ImageNet network whose blocks are named block3, block5, block11) and its
weights.

    python -m venv peers-env
    peers-env/bin/pip install torch==2.13.0
    peers-env/bin/pip install --no-deps torchvision==0.28.0
    peers-env/bin/pip install anomalib==2.7.0 .
    peers-env/bin/python benchmarks/peers.py --backbone weights --parts a.stl --test-parts b.stl --out peers.csv
    layerwatch compare --parts a.stl --test-parts b.stl --also peers.csv --out results/detection.csv

Each peer sees the image, the plan residual and the job residual. Learnt from at most --images healthy layers; frames
are stretched so that 99 % of the healthy pixels lie in [0, 1], and repeated as three channels.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import numpy as np
import torch
from torchvision_operators import declare_torchvision_operators

from layerwatch.evaluation.courses import Course
from layerwatch.evaluation.metrics import Estimate
from layerwatch.job.machine import default_machine
from layerwatch.journeys.compare import plates_of
from layerwatch.journeys.comparison.amounts import PAPERS, Amounts
from layerwatch.journeys.comparison.bench import images_of, seen_layers
from layerwatch.journeys.comparison.competitors import Competitor
from layerwatch.journeys.comparison.groups import Planner, groups_of
from layerwatch.journeys.comparison.rows import Scored, rows_of
from layerwatch.journeys.comparison.views import VIEWS, viewed
from layerwatch.journeys.reproduction.writing import write_csv
from layerwatch.records import LayerImage

INPUTS = ("image", *VIEWS)
_STRETCH = (0.005, 0.995)  # quantiles of healthy pixels that become 0 and 1
_MEAN, _STD = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
_BATCH = 25


@dataclass(eq=False)
class Peer:
    """One of anomalib's models on one input."""

    name: str
    view: str
    model: Any
    span: tuple[float, float] = (0.0, 1.0)
    milliseconds: list[float] = field(default_factory=list)

    def fit(self, images: Sequence[LayerImage]) -> Peer:
        """Learn from healthy layers."""
        pixels = np.stack([image.pixels for image in images])
        low, high = np.quantile(pixels, _STRETCH)
        self.span = (float(low), float(high))
        self.model.train()
        for start in range(0, len(pixels), _BATCH):
            self.model(self._tensor(pixels[start : start + _BATCH]))
        if "PatchCore" in self.name:
            self.model.subsample_embedding(0.005)
        else:
            self.model.fit()
        self.model.eval()
        return self

    @torch.no_grad()
    def scores(self, images: Sequence[LayerImage]) -> np.ndarray:
        """One a layer."""
        began = time.process_time()
        told = self.model(self._tensor(np.stack([image.pixels for image in images]))).pred_score
        self.milliseconds.append(1e3 * (time.process_time() - began) / len(images))
        return np.asarray(told.reshape(-1).numpy(), np.float64)

    def _tensor(self, pixels: np.ndarray) -> torch.Tensor:
        low, high = self.span
        grey = torch.from_numpy(np.clip((pixels - low) / (high - low), 0, 1).astype(np.float32))
        return (grey[:, None].expand(-1, 3, -1, -1) - _MEAN) / _STD


def peers(backbone: Path, size: int) -> list[Peer]:
    """Every peer on every input, unfitted."""
    declare_torchvision_operators()
    from anomalib.models.image.padim.torch_model import PadimModel
    from anomalib.models.image.patchcore.torch_model import PatchcoreModel

    sys.path.insert(0, str(backbone))
    from mobilenet_v1 import MobileNetV1  # beside its weights

    made = []
    for view in INPUTS:
        padim = PadimModel(
            backbone=MobileNetV1(), layers=["block3", "block5", "block11"], pre_trained=False, n_features=100
        )
        core = PatchcoreModel(backbone=MobileNetV1(), layers=["block5", "block11"], pre_trained=False)
        made += [Peer(f"PaDiM-MobileNetV1-{size}", view, padim), Peer(f"PatchCore-MobileNetV1-{size}", view, core)]
    return made


def seen(images: Sequence[LayerImage], view: str) -> Sequence[LayerImage]:
    """One job's layers as a peer gets them."""
    return images if view == "image" else viewed(images, view)


def main() -> None:
    """Fit, read, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", type=Path, required=True)
    parser.add_argument("--parts", type=Path, action="append", required=True)
    parser.add_argument("--test-parts", type=Path, action="append", required=True)
    parser.add_argument("--severity", type=float, action="append")
    parser.add_argument("--defect", action="append", default=None, help="default: the paper's five")
    for name, value in (("seeds", 1), ("jobs", 6), ("healthy", 20), ("fit", 30), ("calibration", 19), ("images", 500)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--out", type=Path, default=Path("peers.csv"))
    asked = parser.parse_args()
    amounts = replace(
        Amounts(asked.seeds, asked.jobs, asked.healthy, asked.fit, asked.calibration),
        severities=tuple(asked.severity or (1.0, 2.0)),
        defects=tuple(asked.defect or PAPERS),
        plan_errors_px=(),
        plan_turns_deg=(),
        polluted=(),
    )
    machine = default_machine()
    learn, test = (
        Planner(tuple(plates_of(parts, machine, amounts)), machine, amounts)
        for parts in (asked.parts, asked.test_parts)
    )
    torch.manual_seed(0)
    scored: dict[tuple[str, str], Scored] = {}
    paces: dict[tuple[str, str], list[float]] = {}
    for seed in range(amounts.seeds):
        healthy = [[layer.image for layer in images_of(job)] for job in learn.jobs("fit", seed, amounts.fit)]
        every = -(-sum(map(len, healthy)) // asked.images)
        fitted = peers(asked.backbone, max(healthy[0][0].pixels.shape))
        for peer in fitted:
            peer.fit([image for job in healthy for image in seen(job, peer.view)][::every])
            print(f"seed {seed}: {peer.name} on {peer.view} fitted", flush=True)
        groups = [group for group in groups_of(test, learn) if group.seed == seed and not group.condition]
        for number, group in enumerate(groups, 1):
            for job in group.jobs:
                layers = list(seen_layers(job, group))
                images = [layer.image for layer in layers]
                defective = np.array([layer.is_defective for layer in layers])
                severity = max((layer.severity for layer in layers), default=0.0)
                for peer in fitted:
                    key = (peer.name, peer.view)
                    one = Competitor(peer.name, peer.view.replace("_", " "))
                    own = scored.setdefault(key, Scored(one, amounts))
                    course = Course(job.name, seed, peer.scores(seen(images, peer.view)), defective, severity)
                    own.add(group, [course])
            print(f"seed {seed}: {number} of {len(groups)} groups", flush=True)
        for peer in fitted:
            paces.setdefault((peer.name, peer.view), []).extend(peer.milliseconds)
    rows = []
    for key, own in scored.items():
        low, middle, high = np.quantile(paces[key], (0.1, 0.5, 0.9)).tolist()
        rows += rows_of(own, Estimate(middle, low, high))
    write_csv(asked.out, [asdict(row) for row in rows])
    for row in rows:
        if row.defect.startswith("the paper's five") and row.metric in {"AUROC", "jobs found"}:
            print(
                f"{row.detector} ({row.input}), severity {row.severity:g}, {row.layers} layers: "
                f"{row.metric} {row.value:.3f}"
            )


if __name__ == "__main__":
    main()
