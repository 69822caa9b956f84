"""Tensors of few bits -> the same in 32 bit, in which sums and losses are taken; 64 bit stay."""

from __future__ import annotations

import torch
from torch import Tensor


def wide(tensor: Tensor) -> Tensor:
    """At least 32 bit."""
    return tensor if tensor.dtype == torch.float64 else tensor.float()
