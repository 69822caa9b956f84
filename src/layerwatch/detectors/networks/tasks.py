"""The trainings of section 5.1: VAE, WGAN-GP, encoder, and joint tuning of encoder and generator."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from layerwatch.detectors.networks.losses import critic_loss, elbo_loss, generator_loss, gradient_penalty, izi_f_loss
from layerwatch.detectors.networks.training import Task
from layerwatch.detectors.networks.vae import VaeNetwork
from layerwatch.detectors.networks.wgan import Critic, Encoder, Generator


def adam(
    parameters: Iterable[nn.Parameter], rate: float, betas: tuple[float, float] = (0.9, 0.999)
) -> torch.optim.Adam:
    """Adam with Keras' epsilon."""
    return torch.optim.Adam(parameters, rate, betas, eps=1e-7)


class VaeTask(Task):
    """BCE + KLD on images in [0, 1]."""

    def __init__(self, network: VaeNetwork, z_dim: int, rate: float) -> None:
        self.network, self.z_dim = network.train(), z_dim
        self.modules = {"vae": network}
        self.optimisers = {"vae": adam(network.parameters(), rate)}

    def step(self, X: Float[Tensor, "n 1 s s"]) -> dict[str, float]:
        """See Task."""
        reconstruction, mean, log_variance = self.network(X, torch.randn(len(X), self.z_dim))
        loss = elbo_loss(X, reconstruction, mean, log_variance)
        _descend(self.optimisers["vae"], loss)
        return {"loss": loss.item()}


class WganTask(Task):
    """``n_critic`` critic updates on the same real batch, then one of the generator; images in [-1, 1]."""

    def __init__(
        self, G: Generator, D: Critic, z_dim: int, rates: tuple[float, float], n_critic: int, gp_weight: float
    ) -> None:
        self.G, self.D, self.z_dim, self.n_critic, self.gp_weight = G.train(), D.train(), z_dim, n_critic, gp_weight
        self.modules = {"G": G, "D": D}
        self.optimisers = {
            "G": adam(G.parameters(), rates[0], (0.5, 0.9)),
            "D": adam(D.parameters(), rates[1], (0.5, 0.9)),
        }

    def step(self, X: Float[Tensor, "n 1 s s"]) -> dict[str, float]:
        """See Task; the gap is the critic's Wasserstein estimate on the batch."""
        gap = [self._critic_update(2 * X - 1) for _ in range(self.n_critic)][-1]
        fooled = generator_loss(self.D(self.G(torch.randn(len(X), self.z_dim)))[0])
        _descend(self.optimisers["G"], fooled)
        return {"gap": gap, "generator": fooled.item()}

    def _critic_update(self, X: Float[Tensor, "n 1 s s"]) -> float:
        with torch.no_grad():
            fake = self.G(torch.randn(len(X), self.z_dim))
        distance = critic_loss(self.D(X)[0], self.D(fake)[0])
        penalty = gradient_penalty(lambda x: self.D(x)[0], X, fake, torch.rand(len(X), 1, 1, 1))
        _descend(self.optimisers["D"], distance + self.gp_weight * penalty)
        return -distance.item()


class EncoderTask(Task):
    """izi_f with generator and critic frozen; with ``tune`` the generator learns along (joint tuning)."""

    def __init__(
        self, E: Encoder, G: Generator, D: Critic, rate: float, weights: tuple[float, float], *, tune: bool
    ) -> None:
        self.E, self.G, self.D, self.weights = E.train(), G.eval(), D.eval(), weights
        self.modules = {"E": E, "G": G} if tune else {"E": E}
        learners = [*E.parameters(), *(G.parameters() if tune else ())]
        self.optimisers = {"E": adam(learners, rate)}

    def step(self, X: Float[Tensor, "n 1 s s"]) -> dict[str, float]:
        """See Task; only the optimiser's own parameters change."""
        X = 2 * X - 1
        with torch.no_grad():
            D_f_X = self.D(X)[1]
        GEX = self.G(self.E(X))
        loss = izi_f_loss(X, GEX, D_f_X, self.D(GEX)[1], self.weights)
        _descend(self.optimisers["E"], loss)
        return {"loss": loss.item()}


def _descend(optimiser: torch.optim.Optimizer, loss: Float[Tensor, ""]) -> None:
    """One step along the gradient of the optimiser's own parameters, and of no others."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = slope
    optimiser.step()
