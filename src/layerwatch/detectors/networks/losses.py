"""The losses of section 5.1, each beside its equation; every one is a mean over the batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from layerwatch.detectors.networks.wide import wide
from layerwatch.records import UsageError


@dataclass(frozen=True)
class Elbo:
    """Which terms the loss of an autoencoder has; the paper's are BCE and KLD."""

    reconstruction: str = "bce"  # or mse, the squared error
    is_variational: bool = True  # False: a plain autoencoder, without KLD

    def __post_init__(self) -> None:
        if self.reconstruction not in {"bce", "mse"}:
            raise UsageError(f"no loss {self.reconstruction!r}; there are: bce, mse")


PAPERS_ELBO = Elbo()


def elbo_loss(
    X: Float[Tensor, "n 1 s s"],
    logits: Float[Tensor, "n 1 s s"],
    mean: Float[Tensor, "n z"],
    log_variance: Float[Tensor, "n z"],
    elbo: Elbo = PAPERS_ELBO,
) -> Float[Tensor, ""]:
    """BCE + KLD, summed over pixels and z (Kingma and Welling 2014).

    ``- sum [X log X' + (1 - X) log(1 - X')] - 1/2 sum [1 + log s^2 - m^2 - s^2]`` with ``X' = s(logits)``; or
    ``sum (X - X')^2`` in place of the first term, or no second one.
    """
    if elbo.reconstruction == "bce":
        loss = functional.binary_cross_entropy_with_logits(logits, X, reduction="sum")
    else:
        loss = (X - torch.sigmoid(logits)).square().sum()
    if elbo.is_variational:
        loss = loss - 0.5 * torch.sum(1 + log_variance - mean**2 - log_variance.exp())
    else:
        loss = loss + 0.0 * log_variance.sum()  # its weights have a gradient all the same, of nought
    return loss / len(X)


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    real: Float[Tensor, "n 1 s s"],
    fake: Float[Tensor, "n 1 s s"],
    alpha: Float[Tensor, "n 1 1 1"],
) -> Float[Tensor, ""]:
    """``E[(|grad D(x)| - 1)^2]`` at ``x = alpha real + (1 - alpha) fake`` (Gulrajani et al. 2017)."""
    x = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return unit_slope_loss(slope)


def unit_slope_loss(slope: Float[Tensor, "n 1 s s"]) -> Float[Tensor, ""]:
    """``E[(|slope| - 1)^2]``, the norm in at least 32 bit."""
    norm = (wide(slope).flatten(1).square().sum(1) + 1e-12).sqrt()
    return ((norm - 1) ** 2).mean()


def discriminator_loss(D_real: Float[Tensor, " n"], D_fake: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """``-E[log s(D(X))] - E[log(1 - s(D(G(z))))]`` with the logistic function s (Goodfellow et al. 2014)."""
    return functional.softplus(-D_real).mean() + functional.softplus(D_fake).mean()


def non_saturating_loss(D_fake: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """``-E[log s(D(G(z)))]``, the generator's loss that does not fade while D is sure (Goodfellow et al. 2014)."""
    return functional.softplus(-D_fake).mean()


def critic_loss(D_real: Float[Tensor, " n"], D_fake: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """``E[D(G(z))] - E[D(X)]``, the negative Wasserstein estimate."""
    return D_fake.mean() - D_real.mean()


def generator_loss(D_fake: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """``-E[D(G(z))]``."""
    return -D_fake.mean()


def izi_f_loss(
    X: Float[Tensor, "n 1 s s"],
    GEX: Float[Tensor, "n 1 s s"],
    D_f_X: Float[Tensor, "n d"],
    D_f_GEX: Float[Tensor, "n d"],
    weights: tuple[float, float],
) -> Float[Tensor, ""]:
    """``a MSE(X, G(E(X))) + b MSE(D_f(X), D_f(G(E(X))))`` (Schlegl et al. 2019); a = 1 - lam, b = lam is equation 1."""
    return weights[0] * functional.mse_loss(GEX, X) + weights[1] * functional.mse_loss(D_f_GEX, D_f_X)
