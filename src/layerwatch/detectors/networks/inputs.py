"""Layer images of any size -> batches of square tensors in one fixed range, and maps back to the image's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional

from layerwatch.records import LayerImage


@dataclass(frozen=True)
class Window:
    """The range of grey that healthy images fill; fixed after training, so temperature keeps its meaning."""

    low: float
    high: float

    @classmethod
    def of(cls, images: Sequence[LayerImage]) -> Window:
        """From the 0.1st to the 99.9th percentile of healthy pixels, widened by a twentieth on both sides."""
        low, high = np.percentile(np.stack([image.pixels for image in images]), [0.1, 99.9])
        margin = max(0.05 * float(high - low), 1e-3)
        return cls(float(low) - margin, float(high) + margin)


def hold_out(images: Sequence[LayerImage]) -> tuple[list[LayerImage], list[LayerImage]]:
    """Images to train with, and a few of other jobs that are only looked at: a twentieth, 64 at most.

    With a single job every twentieth image is looked at.
    """
    wanted = min(max(len(images) // 20, 2), 64)
    jobs = list(dict.fromkeys(image.job for image in images))
    chosen: set[str] = set()
    while len(jobs) - len(chosen) > 1 and sum(image.job in chosen for image in images) < wanted:
        chosen.add(jobs[-1 - len(chosen)])
    if chosen:
        held = [image for image in images if image.job in chosen]
        return [image for image in images if image.job not in chosen], held[:64]
    held = list(images[:: max(len(images) // wanted, 1)])[:64]
    names = {id(image) for image in held}
    return [image for image in images if id(image) not in names], held


def to_tensor(images: Sequence[LayerImage], size: int, window: Window) -> Float[Tensor, "n 1 s s"]:
    """Resize (area-true when shrinking) and stretch the window to [0, 1]; what lies outside is clipped."""
    stack = torch.from_numpy(np.stack([image.pixels for image in images])).unsqueeze(1)
    if min(stack.shape[2:]) >= size:
        small = functional.interpolate(stack, (size, size), mode="area")
    else:
        small = functional.interpolate(stack, (size, size), mode="bilinear", align_corners=False)
    scaled = ((small - window.low) / (window.high - window.low)).clamp(0, 1)
    return scaled.contiguous(memory_format=torch.channels_last)


def to_heat(
    difference: Float[Tensor, "n 1 s s"], shape: tuple[int, ...], window: Window
) -> Float32[np.ndarray, "n h w"]:
    """Differences of stretched images as grey differences in the images' own size."""
    large = functional.interpolate(difference, shape, mode="bilinear", align_corners=False)
    return np.asarray((large.squeeze(1) * (window.high - window.low)).numpy(), np.float32)
