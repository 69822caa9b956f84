from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import ndimage

from layerwatch.evaluation.pixelwise import aupro, pixel_auroc
from layerwatch.records import DataError

RNG = np.random.default_rng(0)
MASKS = [np.zeros((12, 12), bool) for _ in range(3)]
MASKS[0][2:5, 2:5] = MASKS[0][8, 8] = MASKS[1][0:2, 5:12] = True
HEATS = [RNG.normal(size=(12, 12)).round(1) + mask for mask in MASKS]  # with ties


def brute_force(most: float) -> float:
    """Every threshold there is, region by region, pixel by pixel."""
    values = np.unique(np.concatenate([heat.ravel() for heat in HEATS]))[::-1]
    points = [(0.0, 0.0)]
    for threshold in values:
        false = total = 0
        shares = []
        for heat, mask in zip(HEATS, MASKS, strict=True):
            above = heat >= threshold
            false, total = false + int((above & ~mask).sum()), total + int((~mask).sum())
            labels, count = ndimage.label(mask, np.ones((3, 3)))
            shares += [above[labels == number].mean() for number in range(1, count + 1)]
        points.append((false / total, float(np.mean(shares))))
    area = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if x0 < min(x1, most):
            end = min(x1, most)
            y_end = y0 + (end - x0) / (x1 - x0) * (y1 - y0)
            area += (end - x0) * (y0 + y_end) / 2
    return area / most


@pytest.mark.parametrize("most", [0.05, 0.3, 1.0])
def test_aupro_is_that_of_brute_force(most: float) -> None:
    assert aupro(HEATS, MASKS, most) == pytest.approx(brute_force(most), abs=1e-12)


def test_perfect_maps_are_perfect_and_random_ones_are_not() -> None:
    perfect = [mask.astype(float) for mask in MASKS]
    assert aupro(perfect, MASKS) == pixel_auroc(perfect, MASKS) == 1.0
    noise = [RNG.normal(size=mask.shape) for mask in MASKS]
    assert aupro(noise, MASKS) < 0.5


def test_a_small_region_counts_as_much_as_a_large_one() -> None:
    mask = np.zeros((20, 20), bool)
    mask[0:10, 0:10] = mask[15, 15] = True
    only_large = np.zeros((20, 20))
    only_large[0:10, 0:10] = 1.0
    assert aupro([only_large], [mask]) == pytest.approx(0.5 + 0.5 * 0.3 / 2)
    assert pixel_auroc([only_large], [mask]) > 0.99


def test_layers_without_masks_are_refused() -> None:
    with pytest.raises(DataError, match="AUPRO needs healthy and defective pixels"):
        aupro(HEATS[2:], MASKS[2:])
    with pytest.raises(DataError, match="pixel AUROC needs"):
        pixel_auroc(HEATS[2:], MASKS[2:])
