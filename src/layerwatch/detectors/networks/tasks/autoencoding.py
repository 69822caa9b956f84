"""Healthy images in [0, 1] -> a trained VAE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.losses import PAPERS_ELBO, Elbo, elbo_loss
from layerwatch.detectors.networks.on_gpu import compiled
from layerwatch.detectors.networks.tasks.descent import adam, descend, normal
from layerwatch.detectors.networks.training import Task
from layerwatch.detectors.networks.vae import VaeNetwork
from layerwatch.detectors.networks.wide import wide


class VaeTask(Task):
    """Adam on BCE + KLD, or on what stands in for either (see Elbo)."""

    aim: ClassVar[str] = "loss"

    def __init__(
        self, network: VaeNetwork, z_dim: int, rate: float, compute: Compute, elbo: Elbo = PAPERS_ELBO
    ) -> None:
        self.network, self.z_dim, self.compute, self.elbo = network.train(), z_dim, compute, elbo
        self.modules = {"vae": network}
        self._fast_loss = compiled(self._loss, (network,), compute)
        self.optimisers = {"vae": adam(network.parameters(), rate, compute)}

    def step(self, X: Float[Tensor, "n 1 s s"]) -> Mapping[str, Tensor]:
        """See Task."""
        loss = self._fast_loss(X, normal(len(X), self.z_dim, X.device))
        descend(self.optimisers["vae"], loss)
        return {"loss": loss.detach()}

    @torch.no_grad()
    def look(self, held: Float[Tensor, "n 1 s s"]) -> dict[str, float]:
        """The loss on held-out images, and their reconstruction error from the mean of z."""
        self.network.eval()
        loss = float(self._loss(held, torch.randn(len(held), self.z_dim).to(held.device)))
        A_R = float((self.network(held)[0] - held).square().mean())
        self.network.train()
        return {"loss": loss, "A_R": A_R}

    @torch.no_grad()
    def sample(self) -> Float[Tensor, "k 1 s s"]:
        """Images of constant z."""
        z = torch.randn(16, self.z_dim).to(self.compute.device)
        return self.network.generate(z)

    def _loss(self, X: Float[Tensor, "n 1 s s"], noise: Float[Tensor, "n z"]) -> Float[Tensor, ""]:
        with self.compute.autocast():
            logits, mean, log_variance = self.network.logits(X, noise if self.elbo.is_variational else None)
        return elbo_loss(X, wide(logits), wide(mean), wide(log_variance), self.elbo)
