"""Rows of whole numbers -> the same number for equal rows, by one sort of mixed 64-bit keys.

A row's columns are mixed to a hash; its upper bits and the row's index fill one key, so that plain values are sorted,
several times faster than an argsort. Rows that share a hash are compared; where different rows do, they are sorted by
their columns, so the grouping is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Int32, Integer, UInt64

_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio, odd: multiplying by it loses nothing
_HALF = np.uint64(29)


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows in an order that puts equal ones side by side, the earliest first."""

    order: Int[np.ndarray, " n"]
    begins: Bool[np.ndarray, " n"]  # in that order: the first of its group

    @property
    def count(self) -> int:
        """How many different rows there are."""
        return int(np.count_nonzero(self.begins))

    @property
    def numbers(self) -> Int32[np.ndarray, " n"]:
        """For each row the number of its group, from 0."""
        numbers = np.empty(len(self.order), np.int32)
        numbers[self.order] = np.cumsum(self.begins, dtype=np.int32) - np.int32(1)
        return numbers

    @property
    def starts(self) -> Int[np.ndarray, " g"]:
        """Where in the order each group begins."""
        return np.flatnonzero(self.begins)


def grouped(columns: Sequence[Integer[np.ndarray, " n"]], bits: int = 64) -> Groups:
    """Group equal rows.

    Args:
        columns: of one length, 64-bit whole numbers.
        bits: how many bits of the hash to use, less only in tests of what happens when hashes meet.
    """
    n = len(columns[0])
    if n == 0:
        return Groups(np.empty(0, np.int64), np.empty(0, bool))
    size = np.uint64(max(n - 1, 1).bit_length())
    key = _mixed(columns)
    key >>= max(size, np.uint64(64 - bits))
    key <<= size
    key |= np.arange(n, dtype=np.uint64)
    key.sort()
    order = (key & ((np.uint64(1) << size) - np.uint64(1))).astype(np.int64)
    key >>= size
    begins = np.empty(n, bool)
    begins[0] = True
    np.not_equal(key[1:], key[:-1], out=begins[1:])
    del key
    differs = np.zeros(n, bool)
    for column in columns:
        ordered = column.take(order)
        np.logical_or(differs[1:], ordered[1:] != ordered[:-1], out=differs[1:])
    if (differs & ~begins).any():
        _part(columns, order, begins, differs & ~begins)
    return Groups(order, begins)


def _mixed(columns: Sequence[Integer[np.ndarray, " n"]]) -> UInt64[np.ndarray, " n"]:
    """A hash of each row whose upper bits depend on every bit of it."""
    mixed = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        mixed ^= column.view(np.uint64)
        mixed *= _ODD
        mixed ^= mixed >> _HALF
    mixed *= _ODD
    return mixed


def _part(
    columns: Sequence[Integer[np.ndarray, " n"]],
    order: Int[np.ndarray, " n"],
    begins: Bool[np.ndarray, " n"],
    clash: Bool[np.ndarray, " n"],
) -> None:
    """Sort the groups in which different rows met, in place."""
    group = np.cumsum(begins)
    mixed = np.zeros(group[-1] + 1, bool)
    mixed[group[clash]] = True
    places = np.flatnonzero(mixed[group])
    members, group = order[places], group[places]
    within = np.lexsort((members, *(column[members] for column in columns), group))
    members, group = members[within], group[within]
    differs = np.concatenate([[True], group[1:] != group[:-1]])
    for column in columns:
        differs[1:] |= column[members[1:]] != column[members[:-1]]
    order[places], begins[places] = members, differs
