"""Folders of healthy jobs -> their layers, plans laid on their prints, and how still printer and camera are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerwatch.images.first_place import Reach
from layerwatch.images.registration import register
from layerwatch.journeys.score_following import JobFrames
from layerwatch.journeys.score_frames import Refused, ScoreSource, holes_of
from layerwatch.records import DataError, LayerImage, Progress

_MOST_PIXELS = 6e8  # of frames that are held at once
_REGISTERED = 12  # layers of a job, evenly spread
_TO_SIGMA = 1.4826  # of the median absolute value


@dataclass(frozen=True)
class Place:
    """Where the print of one layer lies against its plan."""

    layer: int
    x: float  # px
    y: float
    sigma: float
    rotation: float  # degrees; nan where the outline does not tell it


@dataclass(frozen=True, eq=False)
class History:
    """One healthy job."""

    job: str
    images: tuple[LayerImage, ...]
    note: str  # of its plans, for a person
    refused: tuple[tuple[str, str], ...]  # frame, reason
    places: tuple[Place, ...]
    bed: tuple[float, ...]  # mean grey of each layer
    part: tuple[float, ...]


def histories_of(source: ScoreSource, progress: Progress, *, is_scaled: bool) -> tuple[History, ...]:
    """Read all jobs, as many as can be held.

    Raises:
        DataError: no job with a layer that can be used.
    """
    jobs, found, pixels = source.jobs(), list[History](), 0.0
    for number, job in enumerate(jobs):
        history = _history(JobFrames(source, job, is_scaled))
        progress("read healthy jobs", number + 1, len(jobs), job.name)
        found.append(history)
        pixels += sum(image.pixels.size for image in history.images)
        if pixels > _MOST_PIXELS:
            progress("read healthy jobs", len(jobs), len(jobs), f"enough: {len(found)} of {len(jobs)} jobs")
            break
    if not any(history.images for history in found):
        reasons = [reason for history in found for _, reason in history.refused]
        raise DataError(
            f"{source.folder}: none of {len(reasons)} frames can be used ({reasons[0] if reasons else 'none there'}); "
            "look at one with `layerwatch read`, and at its plan with `layerwatch register`"
        )
    return tuple(found)


def noise_of(histories: Sequence[History]) -> float:
    """Standard deviation of a pixel from one layer to the next, in shares of the grey range; the median of all jobs."""
    told = [
        _TO_SIGMA * float(np.nanmedian(np.abs(b.pixels - a.pixels))) / np.sqrt(2)
        for history in histories
        for a, b in zip(history.images, history.images[1:], strict=False)
    ]
    return max(float(np.median(told)) if told else 0.0, 1e-5)


def _history(frames: JobFrames) -> History:
    images, refused = list[LayerImage](), list[tuple[str, str]]()
    for file, found in frames.layers():
        if isinstance(found, Refused):
            refused.append((file.name, f"{found.word}: {found.reason}"))
        elif holes_of(found) == found.pixels.size:
            refused.append((file.name, "no pixel holds a number"))
        else:
            images.append(found)
    some = images[:: max(1, len(images) // _REGISTERED)]
    places = [place for place in map(_place, some) if place is not None]
    bed, part = ([_mean(image, inside=inside) for image in images] for inside in (False, True))
    return History(
        frames.job.name, tuple(images), frames.place.note, tuple(refused), tuple(places), tuple(bed), tuple(part)
    )


def _place(image: LayerImage) -> Place | None:
    share = np.asarray(image.plan) > 0 if image.coverage is None else image.coverage / np.float32(255)
    reach = Reach(max(16.0, 0.05 * max(image.pixels.shape)))
    placed = register(image.pixels, share.astype(np.float32), 1.0, reach).placed
    if placed is None:
        return None
    return Place(image.layer, *placed.shift_mm, max(placed.shift_sigma_mm), placed.rotation_deg)


def _mean(image: LayerImage, *, inside: bool) -> float:
    chosen = image.pixels[(np.asarray(image.plan) > 0) == inside]
    return float(np.nanmean(chosen)) if np.isfinite(chosen).any() else float("nan")
