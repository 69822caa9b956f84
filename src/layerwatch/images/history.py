"""Frames of past jobs, unlabelled and with faults among them -> those that look ordinary, and a gate learnt from them.

A frame is ordinary where a few plain numbers lie where the bulk of all frames lies: level, contrast and likeness to the
frame before beside the running median of their job, which warms up and cools down; noise, stripes, dead and clipped
pixels beside the median of all jobs, for they belong to the camera. Then the gate learns on the ordinary ones, judges
all, and learns anew on what it found sound, until that no longer changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import ndimage

from layerwatch.images.gating import Gate
from layerwatch.images.looks import Look
from layerwatch.images.remembered import Remembered
from layerwatch.records import DataError, Shot

_OFF = 8.0  # spreads from the running median, within which a frame is ordinary
_ALONG = 31  # frames of a running median
_OF_THE_JOB = 3  # of the numbers, the first ones; the others are the camera's
_ROUNDS = 4
_FEWEST = 40


@dataclass(frozen=True, eq=False)
class Lesson:
    """A gate, and what it was learnt from."""

    gate: Gate
    learnt: int  # frames
    shown: int  # frames that it was to learn from


def learn_gate(jobs: Sequence[Sequence[Shot]], gate: Gate | None = None) -> Lesson:
    """A gate from jobs in which some frames, a minority, have faults.

    Args:
        jobs: frames of each job in the order in which they came.
        gate: with the checks that are wanted; None: all of them.

    Raises:
        DataError: too few frames, or too few alike.
    """
    shown = sum(map(len, jobs))
    gate, memory = gate or Gate(), Remembered()
    gate.memory = memory
    ordinary = _ordinary(jobs, memory)
    kept = [[shot for shot, fine in zip(job, own, strict=True) if fine] for job, own in ordinary]
    for _ in range(_ROUNDS):
        count = sum(map(len, kept))
        if count < _FEWEST:
            raise DataError(
                f"{count} of {shown} frames look alike; at least {_FEWEST} ordinary ones are needed to learn what "
                "is ordinary: give more of the history, or a gate that was learnt before"
            )
        gate.fit(job for job in kept if len(job) > 1)
        again = [_sound(gate, job) for job in jobs]
        if list(map(len, again)) == list(map(len, kept)):
            break
        kept = again
    memory.close()
    return Lesson(gate, sum(map(len, kept)), shown)


def _sound(gate: Gate, job: Sequence[Shot]) -> list[Shot]:
    """The frames of a job that the gate lets pass."""
    if not job:
        return []
    gate.begin(job[0].job)
    return [shot for shot in job if gate.judge(shot).is_sound]


def _ordinary(
    jobs: Sequence[Sequence[Shot]], memory: Remembered
) -> list[tuple[Sequence[Shot], Bool[np.ndarray, " n"]]]:
    """Each job with what of it looks ordinary beside all jobs."""
    forms = Counter((shot.frame.shape, shot.bits) for job in jobs for shot in job if shot.share >= 1)
    if not forms:
        raise DataError("no frame of the history could be read; look at the files, or give another folder")
    usual = forms.most_common(1)[0][0]
    fits = [np.array([(s.frame.shape, s.bits) == usual and s.share >= 1 for s in job], bool) for job in jobs]
    told = [_told(job, fit, memory) for job, fit in zip(jobs, fits, strict=True)]
    usual_numbers = _medians(np.concatenate(told))
    rests = [_rests(rows, usual_numbers) for rows in told]
    spread = 1.4826 * _medians(np.abs(np.concatenate(rests))) + 1e-6
    far = [np.nan_to_num(np.abs(rest) / spread, nan=0.0).max(1, initial=0.0) for rest in rests]
    return [(job, fit & (off < _OFF)) for job, fit, off in zip(jobs, fits, far, strict=True)]


def _medians(rows: Float64[np.ndarray, "n k"]) -> Float64[np.ndarray, " k"]:
    """Of each column's numbers that are known; 0 where none is."""
    known = [column[np.isfinite(column)] for column in rows.T]
    return np.array([np.median(column) if len(column) else 0.0 for column in known])


def _told(job: Sequence[Shot], fits: Bool[np.ndarray, " n"], memory: Remembered) -> Float64[np.ndarray, "n k"]:
    """The numbers of each frame; NaN where it does not fit."""
    rows, before = np.full((len(job), 7), np.nan), None
    for number in np.flatnonzero(fits).tolist():
        look = memory.look(job[number])
        rows[number] = _numbers(look, before)
        before = look
    return rows


def _rests(rows: Float64[np.ndarray, "n k"], usual: Float64[np.ndarray, " k"]) -> Float64[np.ndarray, "n k"]:
    """What the numbers differ by from the running median of their job, or from the usual ones of all."""
    seen = np.where(np.isfinite(rows), rows, usual)
    out = seen - usual
    if len(rows):
        own = seen[:, :_OF_THE_JOB]
        out[:, :_OF_THE_JOB] = own - ndimage.median_filter(own, (min(_ALONG, len(own)), 1), mode="nearest")
    return np.asarray(np.where(np.isfinite(rows[:, :1]), out, np.nan))


def _numbers(look: Look, before: Look | None) -> tuple[float, ...]:
    """Level, log contrast, likeness to the frame before; logs of noise, stripes and dead pixels, clipped share."""
    low, high = look.ends
    clipped = max(look.share_at(level) for level in (low, high))
    likeness = float("nan") if before is None else float((look.shapes * before.shapes).sum())
    logs = np.log([look.noise, look.stripes, look.dead + 1e-4])
    return (float(look.grid.mean()), float(np.log(look.contrast)), likeness, *logs.tolist(), clipped)
