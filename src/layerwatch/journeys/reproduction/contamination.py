"""Healthy layers to learn from -> the same with defective layers, or frames that must not be judged, in some places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from layerwatch.images.grey import to_grey
from layerwatch.images.shots import read_shot_truths, read_shots, spoiled_jobs
from layerwatch.journeys.sources import Healthy
from layerwatch.records import DataError, LayerImage


def replaced(healthy: Healthy, others: Sequence[LayerImage], share: float, seed: int) -> Healthy:
    """That share of the layers to learn from gives way to other ones; those to calibrate on stay healthy.

    Raises:
        DataError: too few others.
    """
    rng, count = np.random.default_rng(seed), round(share * len(healthy.fit))
    if count > len(others):
        raise DataError(f"{len(others)} layers cannot stand in for {count}; print more")
    out = set(rng.permutation(len(healthy.fit))[:count].tolist())
    kept = [image for number, image in enumerate(healthy.fit) if number not in out]
    return replace(healthy, fit=(*kept, *(others[i] for i in rng.permutation(len(others))[:count].tolist())))


def uncleaned(folder: Path, like: LayerImage) -> tuple[LayerImage, ...]:
    """Frames of an archive's spoiled jobs that have a fault (Type 1) and still are images of the right size."""
    return tuple(image for job in spoiled_jobs(folder) for image in _of_job(folder, job, like))


def _of_job(folder: Path, job: str, like: LayerImage) -> Iterator[LayerImage]:
    truths = [truth for truth in read_shot_truths(folder, job) if truth.arrived]
    for shot, truth in zip(read_shots(folder, job), truths, strict=True):
        if not truth.fault:
            continue
        try:
            pixels = to_grey(shot.pixels(), shot.file)
        except DataError:
            continue  # no learning could take it either
        if pixels.shape == like.pixels.shape:
            yield replace(like, job=f"{job}/{shot.file}", layer=shot.layer, pixels=pixels, plan=None, coverage=None)
