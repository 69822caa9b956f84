"""Which piece follows which -> closed chains in walking order, all at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

from layerwatch.part.topology import joined


def labelled(following: Int[np.ndarray, " m"]) -> tuple[Int[np.ndarray, " m"], Bool[np.ndarray, " c"]]:
    """The chain of each piece, and of each chain whether it closes.

    Args:
        following: for each piece the one that comes next, each named at most once; -1: none.
    """
    count, label = joined(np.where(following < 0, np.arange(len(following)), following)[:, None])
    closes = np.ones(count, bool)
    closes[label[following < 0]] = False
    return label, closes


def chained(following: Int[np.ndarray, " m"]) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " c"]]:
    """The pieces of all closed chains, chain after chain in walking order, and where each chain starts.

    List ranking by pointer jumping: every chain is cut open before its first piece; then the distance to its end
    doubles in each round.
    """
    label, closes = labelled(following)
    m, count = len(following), len(closes)
    if not closes.any():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    first = np.full(count, m)
    first[label[::-1]] = np.arange(m)[::-1]
    is_last = (following < 0) | (following == first[label])
    jump = np.where(is_last, np.arange(m), following)
    distance = np.where(is_last, 0, 1)
    while True:
        further = distance[jump]
        if not further.any():
            break
        distance, jump = distance + further, jump[jump]
    sizes = np.where(closes, np.bincount(label, minlength=count), 0)
    ends = np.cumsum(sizes)
    keep = closes[label]
    order = np.empty(int(ends[-1]), np.int64)
    order[ends[label[keep]] - 1 - distance[keep]] = np.flatnonzero(keep)
    return order, (ends - sizes)[closes]
