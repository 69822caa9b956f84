"""Losses and optimisers -> one step along the gradient, and what keeps such steps stable."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from layerwatch.detectors.networks import parallel
from layerwatch.detectors.networks.compute import Compute


def adam(
    parameters: Iterable[nn.Parameter], rate: float, compute: Compute, betas: tuple[float, float] = (0.9, 0.999)
) -> torch.optim.Adam:
    """Adam with Keras' epsilon; on a GPU one kernel, its state there too."""
    on_gpu = compute.device.type == "cuda"
    return torch.optim.Adam(parameters, rate, betas, eps=1e-7, fused=on_gpu or None, capturable=on_gpu)


def descend(optimiser: torch.optim.Optimizer, loss: Float[Tensor, ""]) -> None:
    """One step along the gradient of the optimiser's own parameters, and of no others."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    slopes = parallel.average(torch.autograd.grad(loss, parameters))
    for parameter, slope in zip(parameters, slopes, strict=True):
        parameter.grad = slope
    optimiser.step()


def normal(count: int, dimension: int, device: torch.device) -> Float[Tensor, "n z"]:
    """Standard normal z, this process's rows."""
    return parallel.own_rows(torch.randn(count * parallel.world(), dimension, device=device))


def uniform(count: int, device: torch.device) -> Float[Tensor, "n 1 1 1"]:
    """One number in [0, 1] an image, this process's rows."""
    return parallel.own_rows(torch.rand(count * parallel.world(), 1, 1, 1, device=device))


def shifts(count: int, reach: int) -> Int[Tensor, "n 2"]:
    """Whole pixels along rows and columns for each image, up to ``reach`` both ways."""
    return parallel.own_rows(torch.randint(-reach, reach + 1, (count * parallel.world(), 2)))


def shifted(images: Float[Tensor, "n 1 s s"], by: Int[Tensor, "n 2"]) -> Float[Tensor, "n 1 s s"]:
    """Images moved by whole pixels, their borders repeated: a place is no temperature, so it may be augmented."""
    reach = int(by.abs().max())
    if reach == 0:
        return images
    size, padded = images.shape[-1], functional.pad(images, (reach,) * 4, mode="replicate")
    rows = [
        padded[i, :, reach + y : reach + y + size, reach + x : reach + x + size] for i, (y, x) in enumerate(by.tolist())
    ]
    return torch.stack(rows).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def follow(average: nn.Module, module: nn.Module, keep: float) -> None:
    """Exponential moving average of weights and buffers: ``average <- keep average + (1 - keep) module``."""
    for mine, theirs in zip(average.state_dict().values(), module.state_dict().values(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(theirs, 1 - keep)
        else:
            mine.copy_(theirs)
