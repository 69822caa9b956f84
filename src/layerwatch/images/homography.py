"""Pairs of points on two planes -> the homography between them: normalised direct linear transform, then least squares.

Points are (x, y). Hartley (1997) for the normalisation, Hartley and Zisserman (2004), algorithms 4.1 and 4.3.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from layerwatch.records import DataError

Points = Float64[np.ndarray, "n 2"]
Matrix = Float64[np.ndarray, "3 3"]

_STEPS = 20
_FLAT = 1e-4  # smallest area of a triangle of three corners, as a share of the square of their spread


def mapped(H: Matrix, points: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
    """Where the homography takes the points."""
    x, y = points[..., 0], points[..., 1]
    u, v, w = (H[i, 0] * x + H[i, 1] * y + H[i, 2] for i in range(3))
    return np.stack([u / w, v / w], -1)


def fit_homography(source: Points, target: Points) -> Matrix:
    """The homography that takes ``source`` to ``target`` with the least sum of squares there.

    Raises:
        DataError: fewer than four pairs, or points on one line, so that they fix no homography.
    """
    if len(source) < 4:
        raise DataError(f"{len(source)} points are too few; give the four corners, or four points or more of a target")
    for points in (source, target):
        _check_spread(points)
    to_s, to_t = _normalising(source), _normalising(target)
    s, t = mapped(to_s, source), mapped(to_t, target)
    H = _refined(_direct(s, t), s, t)
    H = np.linalg.inv(to_t) @ H @ to_s
    if not np.isfinite(H).all() or abs(np.linalg.det(H / np.abs(H).max())) < 1e-12:
        raise DataError("the points fix no homography; give corners of which no three lie on a line")
    return np.asarray(H / H[2, 2])


def _check_spread(points: Points) -> None:
    """Refuse points on one line: all of them, or three of four."""
    if not np.isfinite(points).all():
        raise DataError("a point is no number; look at the corners")
    spread = points - points.mean(0)
    values = np.linalg.svd(spread, compute_uv=False)
    if values[1] <= 1e-3 * max(values[0], 1e-300):
        raise DataError("the points lie on one line or in one place; give corners of which no three lie on a line")
    if len(points) == 4:
        area = float((spread**2).sum())
        triples = [np.delete(points, i, axis=0) for i in range(4)]
        if min(abs(_cross(b - a, c - a)) for a, b, c in triples) < _FLAT * area:
            raise DataError("three of the four points lie on a line; give the corners of the bed")


def _cross(a: Float64[np.ndarray, " 2"], b: Float64[np.ndarray, " 2"]) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def _normalising(points: Points) -> Matrix:
    """Moves the points to the origin and to a mean distance of sqrt(2)."""
    middle = points.mean(0)
    scale = np.sqrt(2) / np.hypot(*(points - middle).T).mean()
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])


def _direct(s: Points, t: Points) -> Matrix:
    """The direct linear transform: the null vector of two rows a pair."""
    one, zero = np.ones(len(s)), np.zeros((len(s), 3))
    p = np.column_stack([s, one])
    A = np.concatenate([np.hstack([p, zero, -t[:, :1] * p]), np.hstack([zero, p, -t[:, 1:] * p])])
    return np.asarray(np.linalg.svd(A)[2][-1].reshape(3, 3))


def _refined(H: Matrix, s: Points, t: Points) -> Matrix:
    """Gauss-Newton on the geometric error in the target, H[2, 2] held at 1."""
    if len(s) == 4 or abs(H[2, 2]) < 1e-9:
        return H  # four pairs are met exactly
    H = H / H[2, 2]
    for _ in range(_STEPS):
        step, *_ = np.linalg.lstsq(derivatives(H, s), (t - mapped(H, s)).T.ravel(), rcond=None)
        H = H + np.append(step, 0.0).reshape(3, 3)
        if np.abs(step).max() < 1e-12:
            break
    return np.asarray(H)


def derivatives(H: Matrix, points: Points) -> Float64[np.ndarray, "m 8"]:
    """Of the mapped points (all x, then all y) by the first eight entries of H."""
    p = np.column_stack([points, np.ones(len(points))])
    w, q, zero = p @ H[2], mapped(H, points), np.zeros_like(p)
    rows_x = np.hstack([p, zero, -q[:, :1] * p[:, :2]])
    rows_y = np.hstack([zero, p, -q[:, 1:] * p[:, :2]])
    return np.asarray(np.concatenate([rows_x, rows_y]) / np.tile(w, 2)[:, None])
