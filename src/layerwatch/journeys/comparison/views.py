"""The layers of one job -> what a detector of images gets to see instead: what the plan leaves, or plan and job's bed.

So it can be told what the input is worth and what the detector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from layerwatch.detectors.signals.filters import over_spread
from layerwatch.detectors.signals.outline import explain
from layerwatch.records import LayerImage

Image = Float32[np.ndarray, "h w"]
VIEWS = ("plan_residual", "job_residual")
_MOST = 12.0  # spreads that grey 0 and 1 stand for
_PAST, _FEWEST = 8, 3  # layers of the job's own bed
_BED = 0.5  # share of the part below which a pixel is bed


def viewed(images: Sequence[LayerImage], view: str) -> list[LayerImage]:
    """Each image with residuals as its pixels, in spreads of the frame's own residual, 0 at grey 0.5.

    Args:
        images: of one job, in order, with plans.
        view: one of ``VIEWS``; ``plan_residual``: the layer less what its plan explains; ``job_residual``: that less
            the job's own bed, which is the median of the last eight layers before it at pixels that were bed there.
    """
    past, seen = list[Image](), list[LayerImage]()
    for image in images:
        explained = explain(image)
        rest, bed = explained.rest, explained.share < _BED
        if view == "job_residual":
            own = _own_bed(past[-_PAST:])
            past.append(np.where(bed, rest, np.float32(np.nan)))
            rest = np.asarray(np.where(bed, rest - own, rest), np.float32)
        standard = np.clip(over_spread(rest, explained.nearness, rest), -_MOST, _MOST)
        seen.append(replace(image, pixels=np.asarray(0.5 + standard / (2 * _MOST), np.float32)))
    return seen


def _own_bed(past: Sequence[Image]) -> Image | float:
    """What the bed shows on all layers of this job; 0 where that is not known yet."""
    if len(past) < _FEWEST:
        return 0.0
    layers = np.stack(past)
    known = np.isfinite(layers).sum(0) >= _FEWEST
    filled = np.where(known, layers, np.float32(0))
    return np.asarray(np.where(known, np.nanmedian(filled, axis=0), 0), np.float32)
