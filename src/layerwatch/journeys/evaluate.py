"""Models and labelled layers -> AUROC per class with intervals, false alarms, Table 2 (section 5.2 of the paper)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from layerwatch.detectors.storage.model_files import StoredModel
from layerwatch.evaluation.cohorts import Cohort
from layerwatch.evaluation.metrics import Estimate, auroc, exceedance
from layerwatch.images.writing import write_file
from layerwatch.journeys.readings import Read
from layerwatch.journeys.sources import Labelled
from layerwatch.journeys.train import job_marks, judge_of
from layerwatch.records import DataError, LayerImage, Progress, Reading, silent


@dataclass(frozen=True, eq=False)
class Scored:
    """What one detector says about labelled images."""

    name: str
    readings: tuple[Reading, ...]
    data: Labelled

    @property
    def scores(self) -> Float64[np.ndarray, " n"]:
        """Of every image."""
        return np.array([reading.score for reading in self.readings])

    def where(self, kind: str) -> np.ndarray:
        """True for images of a kind; "all" means every defect."""
        if kind == "all":
            return np.array([k not in {"healthy", ""} for k in self.data.kinds])
        return np.array([k == kind for k in self.data.kinds])

    def jobs(self, kind: str) -> list[str]:
        """Job of each image of a kind."""
        return [image.job for image, chosen in zip(self.data.images, self.where(kind), strict=True) if chosen]

    @property
    def defects(self) -> tuple[str, ...]:
        """Kinds that are not healthy, in alphabetical order."""
        return tuple(sorted(set(self.data.kinds) - {"healthy", ""}))


@dataclass(frozen=True)
class Evaluation:
    """The figures for one detector."""

    name: str
    auroc: dict[str, Estimate]  # of each defect and of "all"
    hits: dict[str, Estimate]  # share of layers above the threshold
    false_alarms: Estimate  # share of healthy layers above the threshold
    promised: float
    threshold: float
    healthy: int  # images
    defective: int


def unseen(data: Labelled, model: StoredModel) -> Labelled:
    """The images of jobs that the model was neither fitted to nor calibrated on."""
    known, marks = model.provenance.get("jobs", {}), job_marks(data.images)
    keep = [i for i, image in enumerate(data.images) if known.get(image.job) != marks[image.job]]
    return Labelled(tuple(data.images[i] for i in keep), tuple(data.kinds[i] for i in keep))


def score(name: str, model: StoredModel, data: Labelled, *, progress: Progress = silent) -> Scored:
    """Read every image.

    Raises:
        DataError: an image lacks what the detector needs.
    """
    for image in data.images:
        check_size(model, image)
    return Scored(name, read_all(model, data.images, f"read with {name}", progress), data)


def check_size(model: StoredModel, image: LayerImage) -> None:
    """Refuse images of another size than the model was trained on.

    Raises:
        DataError: the size differs; both are named.
    """
    trained = tuple(model.provenance.get("pixels", image.pixels.shape))
    if image.pixels.shape != trained:
        a, b = ("{1} x {0}".format(*size) for size in (image.pixels.shape, trained))
        raise DataError(f"{image.name} is {a} pixels, the model was trained on {b}; give images of that size")


def read_all(
    model: StoredModel, images: Sequence[LayerImage], step: str, progress: Progress = silent
) -> tuple[Reading, ...]:
    """Readings of many images, each job followed from its first, with progress."""
    return model.detector.follow(images, step=step, progress=progress)


def evaluate(scored: Scored, model: StoredModel, rate: float, *, seed: int = 0) -> Evaluation:
    """AUROC and rates with 95 % intervals by job.

    Raises:
        DataError: no healthy or no defective image, or too few calibration layers for the rate.
    """
    threshold, scores = judge_of(model, rate).threshold.value, scored.scores
    healthy, jobs = scores[scored.where("healthy")], scored.jobs("healthy")
    if not scored.defects or len(healthy) == 0:
        raise DataError("an evaluation needs healthy and defective images; give a set with both")
    kinds = (*scored.defects, "all")
    return Evaluation(
        name=scored.name,
        auroc={k: auroc(healthy, scores[scored.where(k)], jobs, scored.jobs(k), seed=seed) for k in kinds},
        hits={k: exceedance(scores[scored.where(k)], threshold, scored.jobs(k), seed=seed) for k in kinds},
        false_alarms=exceedance(healthy, threshold, jobs, seed=seed),
        promised=rate,
        threshold=threshold,
        healthy=len(healthy),
        defective=int(scored.where("all").sum()),
    )


def cohort_of(scored: Mapping[str, Scored]) -> Cohort:
    """The inputs of Table 2: each detector's scores, A_R and A_D where there are two, and the critic's features."""
    first = next(iter(scored.values()))
    keep = np.flatnonzero([kind != "" for kind in first.data.kinds])
    inputs: dict[str, np.ndarray] = {}
    for name, one in scored.items():
        inputs |= Read.of(one.readings, one.data.kinds).take(keep).inputs(name)
    jobs = tuple(first.data.images[i].job for i in keep)
    return Cohort(inputs, jobs, tuple(first.data.kinds[i] for i in keep))


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Plain values; estimates are [value, low, high]."""
    return {
        "detector": evaluation.name,
        "auroc": {kind: triple(e) for kind, e in evaluation.auroc.items()},
        "hits": {kind: triple(e) for kind, e in evaluation.hits.items()},
        "false_alarms": {"promised": evaluation.promised, "measured": triple(evaluation.false_alarms)},
        "threshold": evaluation.threshold,
        "images": {"healthy": evaluation.healthy, "defective": evaluation.defective},
    }


def triple(estimate: Estimate) -> list[float]:
    """Value, low, high, to six digits."""
    return [round(value, 6) for value in asdict(estimate).values()]


def save_evaluation(path: Path, evaluation: Evaluation, origin: Mapping[str, Any]) -> None:
    """Write the figures as JSON.

    Raises:
        UsageError: the file cannot be written.
    """
    text = json.dumps({**as_json(evaluation), **origin}, indent=1, sort_keys=True) + "\n"
    write_file(path, text.encode())
