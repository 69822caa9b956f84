"""Layer images <-> tensors: what ``inputs`` does, for torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from layerwatch.detectors.networks.inputs import Window, heat_of, stretched
from layerwatch.records import LayerImage


def to_tensor(images: Sequence[LayerImage], size: int, window: Window) -> Float[Tensor, "n 1 s s"]:
    """``stretched`` as a tensor that is laid out for fast convolutions."""
    return torch.from_numpy(stretched(images, size, window)).contiguous(memory_format=torch.channels_last)


def to_heat(
    difference: Float[Tensor, "n 1 s s"], shape: tuple[int, ...], window: Window
) -> Float32[np.ndarray, "n h w"]:
    """``heat_of`` of a tensor."""
    return heat_of(difference[:, 0].float().cpu().numpy(), shape, window)
