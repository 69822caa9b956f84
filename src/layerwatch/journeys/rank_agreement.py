"""Trained models, labelled real and labelled synthetic images -> whether both put the models in the same order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from layerwatch.evaluation.agreement import Agreement, Trial, agreement
from layerwatch.journeys.evaluate import score, unseen
from layerwatch.journeys.sources import Labelled, labelled_images
from layerwatch.journeys.train import load_stored
from layerwatch.records import DataError, Progress, UsageError, silent


def rank_agreement(
    models: Sequence[Path],
    real: Path | None,
    synthetic: Path | None,
    *,
    good: Sequence[str] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> Agreement | None:
    """Score both sets with every model; None where nothing of it was asked for.

    Args:
        models: folders that `layerwatch train` wrote.
        real: images as `layerwatch evaluate` takes them.
        synthetic: the same, usually an archive.
        good: names of sub-folders of healthy images.
        seed: of the bootstrap.
        progress: told while reading and scoring.

    Raises:
        UsageError: only a part of models and both sets was given, or no such folder.
        DataError: fewer than two models, or images that a model cannot read.
    """
    if not models and real is None and synthetic is None:
        return None
    if len(models) < 2 or real is None or synthetic is None:
        raise UsageError(
            f"{len(models)} models{'' if real else ', no real images'}{'' if synthetic else ', no synthetic images'}: "
            "an order needs two --model or more, --labelled-real and --labelled-synthetic"
        )
    sides = [labelled_images(folder, good=good, progress=progress) for folder in (real, synthetic)]
    return agreement(*(_trial(models, data, progress) for data in sides), seed=seed)


def _trial(models: Sequence[Path], data: Labelled, progress: Progress) -> Trial:
    """Scores of the images that no model has seen, and that are either healthy or defective."""
    stored = {folder.resolve().name: load_stored(folder) for folder in models}
    if len(stored) < len(models):
        raise UsageError("two models have folders of one name; rename one, so that they can be told apart")
    fresh = {image.name for image in data.images}
    for model in stored.values():
        fresh &= {image.name for image in unseen(data, model).images}
    chosen = [i for i, image in enumerate(data.images) if image.name in fresh and data.kinds[i]]
    if not chosen:
        raise DataError("the models have seen every labelled image; give others")
    kept = Labelled(tuple(data.images[i] for i in chosen), tuple(data.kinds[i] for i in chosen))
    scores = {name: score(name, model, kept, progress=progress).scores for name, model in stored.items()}
    defective = np.array([kind != "healthy" for kind in kept.kinds])
    return Trial(scores, defective, [image.job for image in kept.images])
