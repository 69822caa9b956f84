"""Triangles of a part -> what is known of them: extent, unit, the guess of a unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle soup; shared corners are equal to the bit."""

    triangles: Float64[np.ndarray, "n 3 3"]  # in ``unit``
    unit: str | None = None  # "mm", "inch", "m"; None: the file does not say
