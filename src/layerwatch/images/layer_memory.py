"""Textures and coverages of layers on top of one another -> how much of a layer is seen again on the next ones.

A texture that keeps a share m of itself from layer to layer, seen through heat of which a share d stays, is an
autoregressive series of second order with roots m and d. It does not tell which root is which; outlines that move from
layer to layer do, since they show d alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy import optimize

from layerwatch.images.outlines import near_outline
from layerwatch.images.smoothing import smoothed

Image = Float32[np.ndarray, "h w"]
Lags = Float64[np.ndarray, " lags"]

LAGS = 5
_MOVED = 0.05  # change of coverage between two layers that counts
_STRONGEST = 0.95
_SHINE = 4  # layers below the first one that are looked through
_ENOUGH = 10  # px that moved


@dataclass(frozen=True)
class Memory:
    """Shares that a layer keeps of the one before, with standard errors; NaN where unknown."""

    texture: float  # of the texture itself
    decay: float  # of the heat
    texture_error: float
    decay_error: float


def lag_correlations(
    textures: Sequence[Image], region: np.ndarray, scale: float, noise: float, fixed: float
) -> tuple[Lags, Float64[np.ndarray, " lags"]]:
    """Correlation of a texture with itself 1 to 5 layers later, and the pairs of layers behind each.

    Differences between layers are what is looked at, so whatever stays for ever (lamp, fixed pattern) adds nothing.

    Args:
        textures: detrended pictures of consecutive layers, all in one unit.
        region: pixels that are of one material on all of them.
        scale: px, over which they are detrended once more, so that nothing of the lamp's field is left.
        noise: standard deviation of the camera's noise in that unit.
        fixed: of its fixed pattern.
    """
    values = np.stack([(t - smoothed(t, scale))[region] for t in textures]).astype(np.float64)
    values -= values.mean(1, keepdims=True)
    variance = float((values**2).mean()) - noise**2 - fixed**2
    found, pairs = np.full(LAGS, np.nan), np.zeros(LAGS)
    for lag in range(1, min(LAGS, len(values) - 1) + 1):
        change = float(((values[lag:] - values[:-lag]) ** 2).mean()) / 2 - noise**2
        found[lag - 1], pairs[lag - 1] = 1 - change / variance if variance > 0 else np.nan, len(values) - lag
    return found, pairs


def seen_correlation(texture: float, decay: float) -> Lags:
    """Correlation 1 to 5 layers later of a texture of memory ``texture`` under heat of ``decay``."""
    a, b = (texture, decay) if abs(texture - decay) > 1e-4 else (decay + 1e-4, decay)
    n = np.arange(1, LAGS + 1)
    return np.asarray((a * (1 - b**2) * a**n - b * (1 - a**2) * b**n) / ((a - b) * (1 + a * b)))


def fit_memory(
    correlations: Lags, errors: Lags, decay: tuple[float, float] | None, *, conduction: bool = False
) -> Memory:
    """Memory of texture and heat from lag correlations and, where it is known, the decay seen at moving outlines.

    Args:
        correlations: of lags 1 to 5, NaN where unknown.
        errors: their standard errors.
        decay: value and standard error from ``moving_outlines``; None: unknown.
        conduction: heat leaves no texture, so there is no decay to be looked for.
    """
    known = np.isfinite(correlations) & np.isfinite(errors)
    if not known.any():
        return Memory(np.nan, np.nan if decay is None else decay[0], np.nan, np.nan if decay is None else decay[1])
    if conduction:
        return Memory(float(np.clip(correlations[0], 0, _STRONGEST)), np.nan, float(errors[0]), np.nan)

    def misfit(p: Float64[np.ndarray, " 2"]) -> Float64[np.ndarray, " n"]:
        texture = (seen_correlation(*p) - correlations)[known] / errors[known]
        return np.asarray(texture if decay is None else np.r_[texture, (p[1] - decay[0]) / decay[1]])

    starts = [(0.6, 0.2), (0.2, 0.6)]
    fits = [optimize.least_squares(misfit, start, bounds=(0, _STRONGEST)) for start in starts]
    best = min(fits, key=lambda fit: float(fit.cost))
    jacobian = np.asarray(best.jac, np.float64)
    covariance = np.linalg.pinv(jacobian.T @ jacobian)
    spread = np.sqrt(np.diag(covariance))
    return Memory(float(best.x[0]), float(best.x[1]), float(spread[0]), float(spread[1]))


def moving_outlines(
    pictures: Sequence[Image],
    coverages: Sequence[Image],
    scale: float,
    contrast: float,
    blur: float,
    cell: float,
    earlier: Sequence[Image] = (),
) -> tuple[float, float] | None:
    """The decay of heat from where the part begins or ends, and its standard error; None where outlines do not move.

    Args:
        pictures: consecutive layers, K.
        coverages: share of each pixel that is part, one a picture.
        scale: px, over which pictures are detrended.
        contrast: bed minus part, K; negative where the part is the warmer one.
        blur: px, of the optics.
        cell: px of a texture's independent cell.
        earlier: coverages of the layers below the first one, the newest first.
    """
    below = list(earlier[:_SHINE])[::-1]
    all_coverages = [*below, *coverages]
    soft = [smoothed(coverage, blur) for coverage in all_coverages]
    flat = [picture - smoothed(picture, scale) for picture in pictures]
    low = [smoothed(coverage, scale) for coverage in all_coverages]
    rows = []
    for k in range(2, len(all_coverages)):
        moved = near_outline(all_coverages[k]) & (np.abs(all_coverages[k] - all_coverages[k - 1]) > _MOVED)
        if k >= len(below) and moved.sum() >= _ENOUGH:
            history = np.stack([(soft[j] - low[j])[moved] for j in range(k, -1, -1)]).astype(np.float64)
            rows.append((flat[k - len(below)][moved].astype(np.float64), history))
    if not rows:
        return None

    def misfit(decay: float) -> float:
        return sum(float(((seen + contrast * _mixed(history, decay)) ** 2).sum()) for seen, history in rows)

    grid = np.linspace(0, _STRONGEST, 96)
    values = np.array([misfit(float(d)) for d in grid])
    best = int(np.clip(values.argmin(), 1, len(grid) - 2))
    bend = max(float(values[best - 1] + values[best + 1] - 2 * values[best]) / (grid[1] - grid[0]) ** 2, 1e-12)
    count = sum(len(seen) for seen, _ in rows)
    error = float(np.sqrt(2 * values.min() / count * min(cell, count / 2) / bend))
    return float(grid[values.argmin()]), error


def _mixed(history: Float64[np.ndarray, "k n"], decay: float) -> Float64[np.ndarray, " n"]:
    """What is seen of the newest layer and those before; the oldest stands for all before it."""
    weights = (1 - decay) * decay ** np.arange(len(history))
    weights[-1] = decay ** (len(history) - 1)
    return np.asarray(weights @ history)
