"""Heat maps and true masks -> pixel AUROC and AUPRO: how well a detector says where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Float64
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from layerwatch.records import DataError

Heat = Float[np.ndarray, "h w"]
Mask = Bool[np.ndarray, "h w"]
_MOST = 0.3  # false-positive rate up to which AUPRO is integrated


def pixel_auroc(heats: Sequence[Heat], masks: Sequence[Mask]) -> float:
    """AUROC over all pixels of all layers; a higher heat is more abnormal.

    Raises:
        DataError: no defective or no healthy pixel.
    """
    truth = np.concatenate([mask.ravel() for mask in masks])
    if truth.all() or not truth.any():
        raise DataError("pixel AUROC needs healthy and defective pixels; give layers with masks")
    return float(roc_auc_score(truth, np.concatenate([heat.ravel() for heat in heats])))


def aupro(heats: Sequence[Heat], masks: Sequence[Mask], most: float = _MOST) -> float:
    """Area under the per-region overlap up to a false-positive rate, over that rate (Bergmann et al. 2020).

    At every threshold the overlap is the mean, over all connected defective regions, of the share of the region that
    is above it; every region counts alike, however small.

    Args:
        heats: one a layer, higher is more abnormal.
        masks: the true masks.
        most: false-positive rate at which the integral ends.

    Raises:
        DataError: no defective or no healthy pixel.
    """
    healthy, inside, weights, regions = list[np.ndarray](), list[np.ndarray](), list[np.ndarray](), 0
    for heat, mask in zip(heats, masks, strict=True):
        labels, count = ndimage.label(mask, np.ones((3, 3)))
        healthy.append(heat[~mask])
        inside.append(heat[mask])
        weights.append(1 / np.bincount(labels[mask], minlength=count + 1)[labels[mask]])  # a region's sum to 1
        regions += count
    below = np.sort(np.concatenate(healthy)) if healthy else np.zeros(0)
    if not regions or len(below) == 0:
        raise DataError("AUPRO needs healthy and defective pixels; give layers with masks")

    # The curve bends only at values of healthy pixels: just at one, and just above the next lower one, where the
    # false-positive rate still stands.
    thresholds = np.unique(below)[::-1]
    rates = (len(below) - np.searchsorted(below, thresholds, "left")) / len(below)
    values = np.concatenate(inside)
    order = np.argsort(values)
    values, passed = values[order], np.r_[0.0, np.cumsum(np.concatenate(weights)[order])]
    at, above = (regions - passed[np.searchsorted(values, thresholds, side)] for side in ("left", "right"))
    x = np.r_[0.0, np.repeat(rates, 2)]
    y = np.r_[above[0], np.ravel(np.column_stack([at, np.r_[above[1:], regions]]))] / regions
    return _area(x, y, most) / most


def _area(x: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " n"], most: float) -> float:
    """Under straight lines from point to point, up to ``most``."""
    end = int(np.searchsorted(x, most, "right"))
    if end < len(x):
        share = (most - x[end - 1]) / (x[end] - x[end - 1])
        x, y = np.r_[x[:end], most], np.r_[y[:end], y[end - 1] + share * (y[end] - y[end - 1])]
    return float(np.trapezoid(y, x))
