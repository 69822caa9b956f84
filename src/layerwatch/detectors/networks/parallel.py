"""Processes that torchrun started -> one training: each takes its rows of the batch, gradients are averaged.

Every process draws the random numbers of the whole batch and keeps its own rows, batch normalisation takes its moments
over all rows, and the gradients are reduced as one flat vector; so many processes take the steps that one would take.
(DistributedDataParallel reduces while the backward pass runs, and is wrong under a gradient penalty.)
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn

from layerwatch.detectors.networks.wide import wide


def begin() -> None:
    """Join the processes of a torchrun; nothing to do without one."""
    if "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        has_gpu = torch.cuda.is_available()
        if has_gpu:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        distributed.init_process_group("nccl" if has_gpu else "gloo")


def rank() -> int:
    """Number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def world() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def own_rows(batch: Tensor) -> Tensor:
    """Rows of a whole batch that are this process's.

    Raises:
        ValueError: the batch cannot be shared out evenly.
    """
    if len(batch) % world():
        raise ValueError(f"a batch of {len(batch)} cannot be shared by {world()} processes; choose a multiple of them")
    share = len(batch) // world()
    return batch[rank() * share : (rank() + 1) * share]


def average(gradients: Sequence[Tensor]) -> list[Tensor]:
    """The mean over all processes, reduced as one vector."""
    if world() == 1:
        return list(gradients)
    flat = torch.cat([g.flatten() for g in gradients])
    distributed.all_reduce(flat)
    flat /= world()
    parts = torch.split(flat, [g.numel() for g in gradients])
    return [part.view_as(g) for part, g in zip(parts, gradients, strict=True)]


def mean_of(value: float) -> float:
    """The mean of a number over all processes."""
    return float(average([torch.tensor([value], dtype=torch.float64)])[0])


class Dropout(nn.Dropout):
    """Dropout whose mask can be asked for; drawn for the whole batch, of which this process keeps its rows."""

    def mask(self, h: Tensor) -> Tensor:
        """0 where a value is dropped, 1 / (1 - p) where it is kept; ones outside training."""
        if not self.training:
            return torch.ones_like(h)
        n, *rest = h.shape
        whole = (n * world(), *rest[1:], rest[0])  # channels last, as activations lie in memory
        if h.device.type == "cpu":
            kept = own_rows(_sixteen_bits(whole) >= round(self.p * 2**16) - 2**15)
        else:
            kept = own_rows(torch.rand(whole, device=h.device) >= self.p)
        return (kept.to(h.dtype) / (1 - self.p)).movedim(-1, 1)

    def forward(self, h: Tensor) -> Tensor:
        """See torch."""
        kept: Tensor = h * self.mask(h) if self.training else h
        return kept


def _sixteen_bits(shape: Sequence[int]) -> Tensor:
    """Uniform 16-bit integers, four from each drawn word: on a processor ten times as fast as Bernoulli numbers."""
    count = math.prod(shape)
    words = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    return words.view(torch.int16)[:count].view(shape)


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation of vectors and images with Keras' epsilon and momentum, its moments taken over all rows."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-3, momentum=0.01)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 # torch's name
        """Vectors are welcome too."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 # torch's name
        """See torch."""
        if not self.training or world() == 1:
            return super().forward(input)
        over = [d for d in range(input.ndim) if d != 1]
        moments = torch.stack([wide(input).mean(over), wide(input).square().mean(over)])
        mean, square = _Averaged.apply(moments)  # type: ignore[no-untyped-call] # not in the stubs
        variance = square - mean**2
        self._remember(mean, variance, input.numel() // len(mean) * world())
        side = (1, -1, *(1 for _ in over[1:]))
        scaled = (input - mean.view(side)) * (variance + self.eps).rsqrt().view(side)
        normalised: Tensor = (scaled * self.weight.view(side) + self.bias.view(side)).to(input.dtype)
        return normalised

    @torch.no_grad()
    def _remember(self, mean: Float[Tensor, " c"], variance: Float[Tensor, " c"], count: int) -> None:
        for kept, fresh in ((self.running_mean, mean), (self.running_var, variance * count / (count - 1))):
            if kept is not None:
                kept.lerp_(fresh, self.momentum or 0.0)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += 1


class _Averaged(torch.autograd.Function):
    """The mean over processes, of values and of gradients."""

    @staticmethod
    def forward(ctx: object, value: Tensor) -> Tensor:
        """Of the values; ``ctx`` is torch's."""
        return average([value])[0]

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        """Of the gradients."""
        return average([gradient])[0]
