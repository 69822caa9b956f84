"""Images, a frozen generator and critic -> the z of each image that makes A least (Schlegl et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from layerwatch.detectors.networks.compute import Compute

_WINDOW = 50  # steps over which the search must get somewhere


@dataclass(frozen=True)
class Search:
    """How z is searched for."""

    steps: int = 3500
    rate: float = 0.05  # Adam
    lam: float = 0.1
    restarts: int = 1
    tolerance: float = 0.0  # share by which A must fall in 50 steps; 0: all steps are taken


def best_z(
    X: Float[Tensor, "n 1 s s"], G: nn.Module, D: nn.Module, z_dim: int, search: Search, compute: Compute
) -> tuple[Float[Tensor, "n z"], Float[Tensor, " n"]]:
    """The best z on the way of each search, and its A.

    Args:
        X: images in [-1, 1].
        G: generator, in judging mode.
        D: critic, in judging mode.
        z_dim: length of z.
        search: steps, rate, restarts, tolerance.
        compute: device and precision.
    """
    with _frozen(G, D):
        with torch.no_grad(), compute.autocast():
            D_f_X = D(X)[1].float()
        tries = [_searched(X, D_f_X, G, D, start, search, compute) for start in _starts(search.restarts, z_dim)]
    z, A = torch.stack([z for z, _ in tries]), torch.stack([A for _, A in tries])
    best = A.argmin(0)
    rows = torch.arange(len(X), device=X.device)
    return z[best, rows], A[best, rows]


def _searched(
    X: Float[Tensor, "n 1 s s"],
    D_f_X: Float[Tensor, "n d"],
    G: nn.Module,
    D: nn.Module,
    start: Float[Tensor, " z"],
    search: Search,
    compute: Compute,
) -> tuple[Float[Tensor, "n z"], Float[Tensor, " n"]]:
    """One search for each image from the same start."""
    device = X.device
    best_z = start.to(device).repeat(len(X), 1)
    best_A = torch.full((len(X),), torch.inf, device=device)
    rows = torch.arange(len(X), device=device)  # images whose search still goes on
    z = best_z.clone().requires_grad_(True)
    optimiser, before = torch.optim.Adam([z], search.rate), best_A.clone()
    for step in range(search.steps + 1):
        A = _score(X[rows], D_f_X[rows], G, D, z, search.lam, compute)
        better = rows[A.detach() < best_A[rows]]
        is_better = A.detach() < best_A[rows]
        best_A[better], best_z[better] = A.detach()[is_better], z.detach()[is_better]
        if step == search.steps:
            break
        (z.grad,) = torch.autograd.grad(A.sum(), z)
        optimiser.step()
        if search.tolerance and step % _WINDOW == _WINDOW - 1:
            moving = best_A[rows] < before[rows] * (1 - search.tolerance)
            before = best_A.clone()
            if not moving.any():
                break
            if not moving.all():
                rows, z, optimiser = rows[moving], *_kept(z, optimiser, moving, search.rate)
    return best_z, best_A


def _score(
    X: Float[Tensor, "n 1 s s"],
    D_f_X: Float[Tensor, "n d"],
    G: nn.Module,
    D: nn.Module,
    z: Float[Tensor, "n z"],
    lam: float,
    compute: Compute,
) -> Float[Tensor, " n"]:
    """Equation 1 of each image and its z; A_R in the range [0, 1]."""
    with compute.autocast():
        GX = G(z)
        D_f_GX = D(GX)[1].float()
    A_R = ((X - GX.float()) / 2).square().mean((1, 2, 3))
    A_D = (D_f_X - D_f_GX).square().mean(1)
    A: Tensor = (1 - lam) * A_R + lam * A_D
    return A


def _kept(
    z: Tensor, optimiser: torch.optim.Adam, kept: Bool[Tensor, " n"], rate: float
) -> tuple[Tensor, torch.optim.Adam]:
    """The searches that go on, with their own moments."""
    fresh = z.detach()[kept].clone().requires_grad_(True)
    other = torch.optim.Adam([fresh], rate)
    state = optimiser.state[z]
    other.state[fresh] = {key: value[kept] if value.ndim else value for key, value in state.items()}
    return fresh, other


def _starts(count: int, z_dim: int) -> Float[Tensor, "r z"]:
    """Where searches begin: the mean of z, then fixed draws."""
    draws = torch.randn(count - 1, z_dim, generator=torch.Generator().manual_seed(0))
    return torch.cat([torch.zeros(1, z_dim), draws])


@contextmanager
def _frozen(*modules: nn.Module) -> Iterator[None]:
    """No gradient is kept of any weight inside the block."""
    weights = [(p, p.requires_grad) for module in modules for p in module.parameters()]
    for weight, _ in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight, was in weights:
            weight.requires_grad_(was)
