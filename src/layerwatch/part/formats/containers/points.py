"""Coordinates as layer files write them, text or numbers -> points, none of them NaN or absurdly far away."""

from __future__ import annotations

import re

import numpy as np
from jaxtyping import Float64

Points = Float64[np.ndarray, "_ 2"]
_FAR = 1e9
_LONGEST = 16 * 2**20  # characters of one outline
_PIECE = re.compile(r"M([^MzZ]*)[zZ]")


def points_of(text: str) -> Points:
    """Pairs of numbers, between them blanks or commas.

    Raises:
        ValueError: something else, a number without its partner, more than 16 MB, or not ``believable``.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"an outline of {len(text):,} characters; at most {_LONGEST:,} are read")
    return believable(np.array(text.replace(",", " ").split(), np.float64).reshape(-1, 2))


def believable(points: Points) -> Points:
    """The same points.

    Raises:
        ValueError: one is NaN, infinite or farther than 1e9 from the origin.
    """
    if not (np.abs(points) < _FAR).all():
        raise ValueError("a point that is NaN, infinite or absurdly far away")
    return points


def closed_pieces(d: str) -> list[str]:
    """What stands between M and z of each closed piece of an SVG path.

    Raises:
        ValueError: there is more in the path, such as an open piece.
    """
    rest = _PIECE.sub("", d).strip(" ,\t\r\n")
    if rest:
        raise ValueError(f"a path that does not consist of closed pieces, M to z: {rest[:40]!r}")
    return _PIECE.findall(d)
