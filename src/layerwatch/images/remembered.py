"""Frames that a gate learns from round after round -> their looks and numbers, computed once.

Numbers are held as long as the two frames that they compare; looks until it is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
from jaxtyping import Float64

from layerwatch.images.gate.base import Seen
from layerwatch.images.looks import Look
from layerwatch.records import Shot

Row = Float64[np.ndarray, " k"]


@dataclass(eq=False)
class Remembered:
    """Looks of shots, and numbers of pairs of shots."""

    is_open: bool = True  # it takes in more; else it only tells what it knows
    _looks: dict[Shot, Look] = field(default_factory=dict)
    _numbers: WeakKeyDictionary[Shot, WeakKeyDictionary[Shot, dict[float, Row]]] = field(
        default_factory=WeakKeyDictionary
    )

    def look(self, shot: Shot) -> Look:
        """The one look at this shot."""
        if not self.is_open:
            return Look(shot)
        return self._looks.setdefault(shot, Look(shot))

    def numbers(self, seen: Seen, measure: Callable[[Seen], Row]) -> Row:
        """What ``measure`` gives; a frame that is held against its plan is measured anew."""
        if seen.plan is not None:
            return measure(seen)
        before = seen.shot if seen.past.before is None else seen.past.before.shot  # itself stands for nothing before
        known = self._numbers.get(seen.shot, WeakKeyDictionary()).get(before, {})
        if seen.off in known:
            return known[seen.off]
        row = measure(seen)
        if self.is_open:
            own = self._numbers.setdefault(seen.shot, WeakKeyDictionary())
            own.setdefault(before, {})[seen.off] = row
        return row

    def close(self) -> None:
        """Take in no more and let go of the looks: what is to come is seen once only."""
        self.is_open = False
        self._looks.clear()
