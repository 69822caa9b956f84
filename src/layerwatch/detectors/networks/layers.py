"""Building blocks of Table 1 with the defaults of Keras, so that results and not only counts agree."""

from __future__ import annotations

import torch
from torch import nn


def scaled(channels: int, width: float) -> int:
    """Channels of a layer of Table 1 at another width, never below 4."""
    return max(4, round(channels * width))


def conv(inner: int, outer: int, kernel: int = 5, stride: int = 2, *, bias: bool = True) -> nn.Conv2d:
    """A convolution that keeps or halves the size ("same" padding)."""
    return nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=bias)


def deconv(inner: int, outer: int, stride: int = 2, *, bias: bool = True) -> nn.ConvTranspose2d:
    """A transposed 5 x 5 convolution that keeps or doubles the size."""
    return nn.ConvTranspose2d(inner, outer, 5, stride, 2, output_padding=stride - 1, bias=bias)


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Glorot-uniform weights and zero biases, as Keras does."""
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.xavier_uniform_(part.weight, generator=generator)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def parameter_count(module: nn.Module) -> int:
    """Trainable parameters, as Table 1 counts them."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
