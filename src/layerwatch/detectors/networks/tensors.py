"""Layer images <-> tensors: what ``framing`` does, for torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from layerwatch.detectors.networks.framing import Framing
from layerwatch.detectors.networks.inputs import Window
from layerwatch.records import LayerImage


def to_tensor(images: Sequence[LayerImage], framing: Framing, window: Window) -> Float[Tensor, "m 1 s s"]:
    """``Framing.cut`` as a tensor that is laid out for fast convolutions."""
    return _laid_out(framing.cut(images, window))


def to_learn(images: Sequence[LayerImage], framing: Framing, window: Window, seed: int) -> Float[Tensor, "m 1 s s"]:
    """``Framing.some`` as a tensor."""
    return _laid_out(framing.some(images, window, seed))


def to_heat(
    difference: Float[Tensor, "m 1 s s"], framing: Framing, shape: tuple[int, ...], window: Window
) -> Float32[np.ndarray, "n h w"]:
    """``Framing.join`` of a tensor."""
    return framing.join(difference[:, 0].float().cpu().numpy(), shape, window)


def _laid_out(images: Float32[np.ndarray, "m 1 s s"]) -> Float[Tensor, "m 1 s s"]:
    return torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
