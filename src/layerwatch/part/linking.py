"""Segments of many planes -> closed rings; small gaps are closed, what stays open is counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int
from scipy.spatial import cKDTree

from layerwatch.part.chains import chained, labelled
from layerwatch.part.segments import Segments

_BRIDGE = 0.1  # of a chain's length: an opening up to that is closed straight, and still counted as a leak
_ROUNDS = 3  # of joining ends that are nearest to one another


@dataclass(frozen=True, eq=False)
class Rings:
    """Closed outlines, one after the other."""

    points: Float64[np.ndarray, "p 2"]  # mm
    starts: Int[np.ndarray, " r"]  # where each ring begins
    plane: Int[np.ndarray, " r"]  # the plane of each ring


@dataclass(frozen=True, eq=False)
class Linked:
    """Rings, and what was not closed in the mesh."""

    rings: Rings
    joined: Int[np.ndarray, " k"]  # gaps closed in each plane
    leaks: Int[np.ndarray, " k"]  # chains left open in each plane


def link(segments: Segments, planes: int, reach: float, *, both_ways: bool = False) -> Linked:
    """Follow segments around.

    Args:
        segments: of all planes.
        planes: how many there are.
        reach: mm; ends that lie so near one another are joined.
        both_ways: each segment stands twice, the second half turned; each ring is given once then.
    """
    joined, leaks = np.zeros(planes, np.int64), np.zeros(planes, np.int64)
    if (segments.following < 0).any():
        if both_ways:
            leaks = np.bincount(segments.plane[segments.following < 0], minlength=planes) // 2
        else:
            segments, joined = _join_gaps(segments, planes, reach)
            segments, leaks = _bridge(segments, planes)
    order, starts = chained(segments.following)
    if both_ways:
        order, starts = _once(order, starts, len(segments.plane))
    return Linked(Rings(segments.start.take(order, 0), starts, segments.plane[order[starts]]), joined, leaks)


def _ends(segments: Segments) -> tuple[Int[np.ndarray, " e"], Int[np.ndarray, " e"]]:
    """Last and first segment of every open chain."""
    last = np.flatnonzero(segments.following < 0)
    is_first = np.ones(len(segments.following), bool)
    is_first[segments.following[segments.following >= 0]] = False
    return last, np.flatnonzero(is_first)


def _joined(segments: Segments, last: Int[np.ndarray, " j"], first: Int[np.ndarray, " j"]) -> Segments:
    """With a segment more for each pair, from the end of one chain to the beginning of another."""
    m = len(segments.plane)
    following = np.concatenate([segments.following, first])
    following[last] = m + np.arange(len(last))
    return Segments(
        np.concatenate([segments.plane, segments.plane[last]]),
        np.concatenate([segments.start, segments.end[last]]),
        np.concatenate([segments.end, segments.start[first]]),
        following,
    )


def _join_gaps(segments: Segments, planes: int, reach: float) -> tuple[Segments, Int[np.ndarray, " k"]]:
    """Join ends to beginnings that lie within reach in the same plane, those first that are nearest to one another."""
    joined = np.zeros(planes, np.int64)
    for _ in range(_ROUNDS):
        last, first = _ends(segments)
        if not len(last) or not len(first):
            break
        a = np.column_stack([segments.end[last], 4 * reach * segments.plane[last]])
        b = np.column_stack([segments.start[first], 4 * reach * segments.plane[first]])
        distance, to = (np.asarray(v) for v in cKDTree(b).query(a, distance_upper_bound=reach))
        back = np.asarray(cKDTree(a).query(b, distance_upper_bound=reach)[1])
        near = np.flatnonzero(np.isfinite(distance))
        mutual = near[back[to[near]] == near]
        if not len(mutual):
            break
        joined += np.bincount(segments.plane[last[mutual]], minlength=planes)
        segments = _joined(segments, last[mutual], first[to[mutual]])
    return segments, joined


def _bridge(segments: Segments, planes: int) -> tuple[Segments, Int[np.ndarray, " k"]]:
    """Close chains straight whose opening is small beside their length; count all that are open."""
    last, first = _ends(segments)
    leaks = np.bincount(segments.plane[last], minlength=planes)
    if not len(last):
        return segments, leaks
    label, closes = labelled(segments.following)
    length = np.bincount(label, np.linalg.norm(segments.end - segments.start, axis=1), len(closes))
    beginning = np.full(len(closes), -1)
    beginning[label[first]] = first
    first = beginning[label[last]]
    opening = np.linalg.norm(segments.end[last] - segments.start[first], axis=1)
    small = opening <= _BRIDGE * length[label[last]]
    return _joined(segments, last[small], first[small]), leaks


def _once(
    order: Int[np.ndarray, " p"], starts: Int[np.ndarray, " r"], doubled: int
) -> tuple[Int[np.ndarray, " q"], Int[np.ndarray, " s"]]:
    """Of each two rings that are one in opposite senses, that which holds the lowest segment as it is."""
    if not len(starts):
        return order, starts
    lengths = np.diff(np.append(starts, len(order)))
    half = doubled // 2
    natural = np.minimum.reduceat(np.where(order < half, order, doubled), starts)
    turned = np.minimum.reduceat(np.where(order < half, doubled, order - half), starts)
    wanted = natural < turned
    lengths = lengths[wanted]
    return order[np.repeat(wanted, np.diff(np.append(starts, len(order))))], np.cumsum(lengths) - lengths
