"""Healthy images -> a trained generator and its critic (WGAN-GP) or discriminator (DCGAN)."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.dcgan import DcganGenerator, Discriminator
from layerwatch.detectors.networks.losses import (
    critic_loss,
    discriminator_loss,
    generator_loss,
    non_saturating_loss,
)
from layerwatch.detectors.networks.on_gpu import compiled
from layerwatch.detectors.networks.penalty import input_gradient, is_known, penalty_of
from layerwatch.detectors.networks.tasks.descent import adam, descend, follow, normal, shifted, shifts, uniform
from layerwatch.detectors.networks.training import Task
from layerwatch.detectors.networks.wgan import Critic, Generator
from layerwatch.detectors.networks.wide import wide

_SHOWN = 16  # images of constant z


@dataclass(frozen=True)
class Wasserstein:
    """Settings of a WGAN-GP training; the last three are off in the paper."""

    rates: tuple[float, float] = (2e-4, 2e-4)  # of generator and critic, Adam with betas (0.5, 0.9)
    n_critic: int = 3  # critic steps for one of the generator, on the same real batch
    gp_weight: float = 10.0
    drift: float = 0.0  # weight of E[D(X)^2], which keeps the critic's level near 0
    translate: int = 0  # px by which real and generated images are moved before the critic sees them
    ema: float = 0.0  # share that the averaged generator keeps at each step


class Judging(Protocol):
    """What judges images: a number, and its features."""

    def __call__(self, X: Tensor) -> tuple[Tensor, Tensor]:
        """D(X), D_f(X)."""


class AdversarialTask(Task):
    """A generator G and its opponent D, and what is looked at while they train; images in [-1, 1] inside."""

    G: nn.Module
    D: nn.Module
    best: nn.Module  # the generator that is kept: G, or its moving average
    z_dim: int

    @abstractmethod
    def step(self, X: Float[Tensor, "n 1 s s"]) -> Mapping[str, Tensor]:
        """See Task."""

    @torch.no_grad()
    def look(self, held: Float[Tensor, "n 1 s s"]) -> dict[str, float]:
        """Critic's gap between held-out and generated images, spread and distance of images of a fixed z batch.

        ``spread`` is the mean standard deviation of a pixel over generated images, divided by that over real ones: 1
        where they vary alike, near 0 where the generator has collapsed.
        """
        z = torch.randn(len(held), self.z_dim).to(held.device)
        self.best.eval(), self.D.eval()
        X, fake = 2 * held - 1, self._generated(self.best, z)
        gap = float(self.D(X)[0].mean() - self.D(fake)[0].mean())
        spread = float(fake.std(0).mean() / X.std(0).mean().clamp_min(1e-9))
        nearest = float(torch.cdist(fake.flatten(1), X.flatten(1)).square().min(1).values.mean() / X[0].numel() / 4)
        self.best.train(self.best is self.G), self.D.train()
        return {"gap": gap, "spread": spread, "nearest": nearest}

    @torch.no_grad()
    def sample(self) -> Float[Tensor, "k 1 s s"]:
        """Images of constant z."""
        self.best.eval()
        images = self._generated(self.best, torch.randn(_SHOWN, self.z_dim).to(self.compute.device))
        self.best.train(self.best is self.G)
        return (images + 1) / 2

    def _generated(self, G: nn.Module, z: Float[Tensor, "n z"]) -> Float[Tensor, "n 1 s s"]:
        with self.compute.autocast():
            images: Tensor = G(z)
        return wide(images)


class WganTask(AdversarialTask):
    """``n_critic`` critic updates on the same real batch, then one of the generator (Gulrajani et al. 2017)."""

    aim: ClassVar[str] = "gap"

    def __init__(self, G: Generator, D: Critic, z_dim: int, settings: Wasserstein, compute: Compute) -> None:
        self.G, self.D, self.z_dim, self.settings, self.compute = G.train(), D.train(), z_dim, settings, compute
        self.best = copy.deepcopy(G).eval() if settings.ema else G
        self.modules = {"G": G, "D": D, **({"average": self.best} if settings.ema else {})}
        rate_G, rate_D = settings.rates
        self.optimisers = {
            "G": adam(G.parameters(), rate_G, compute, (0.5, 0.9)),
            "D": adam(D.parameters(), rate_D, compute, (0.5, 0.9)),
        }
        self.layers = D.layers()
        self.penalty = penalty_of(self.layers)
        self._fast_fake = compiled(self._fake, (G,), compute)
        self._fast_critic_losses = compiled(self._critic_losses, (D,), compute)
        self._fast_generator_loss = compiled(self._generator_loss, (G, D), compute)

    @property
    def is_recordable(self) -> bool:
        """See Task; images are moved by numbers that the processor knows."""
        return self.settings.translate == 0

    def step(self, X: Float[Tensor, "n 1 s s"]) -> Mapping[str, Tensor]:
        """See Task; the gap is the critic's Wasserstein estimate on the batch."""
        X = 2 * X - 1
        for _ in range(self.settings.n_critic):
            losses = self._critic_update(X)
        loss = self._fast_generator_loss(normal(len(X), self.z_dim, X.device))
        descend(self.optimisers["G"], loss)
        if self.settings.ema:
            follow(self.best, self.G, self.settings.ema)
        return {**losses, "generator": loss.detach()}

    def look(self, held: Float[Tensor, "n 1 s s"]) -> dict[str, float]:
        """See AdversarialTask; also the mean norm of the critic's input gradient, which should be 1."""
        found = super().look(held)
        with torch.no_grad():
            X, fake = 2 * held - 1, self._generated(self.best, torch.randn(len(held), self.z_dim).to(held.device))
            self.D.eval()
            if is_known(self.layers):
                slope = input_gradient(self.layers, (X + fake) / 2)
                found["gradient norm"] = float(slope.flatten(1).norm(dim=1).mean())
            self.D.train()
        return found

    def _critic_update(self, X: Float[Tensor, "n 1 s s"]) -> dict[str, Tensor]:
        fake = self._fast_fake(normal(len(X), self.z_dim, X.device))
        real, fake = self._moved(X), self._moved(fake)
        loss, distance, penalty = self._fast_critic_losses(real, fake, uniform(len(X), X.device))
        descend(self.optimisers["D"], loss)
        return {"gap": -distance.detach(), "penalty": penalty.detach()}

    def _fake(self, z: Float[Tensor, "n z"]) -> Float[Tensor, "n 1 s s"]:
        """G(z) that the critic learns from."""
        with torch.no_grad():
            return self._generated(self.G, z)

    def _critic_losses(
        self, real: Float[Tensor, "n 1 s s"], fake: Float[Tensor, "n 1 s s"], alpha: Float[Tensor, "n 1 1 1"]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the critic descends, and two parts of it: the distance and the penalty."""
        with self.compute.autocast():
            D_real, D_fake = wide(self.D(real)[0]), wide(self.D(fake)[0])
            penalty = self.penalty(real, fake, alpha)
        distance = critic_loss(D_real, D_fake)
        loss = distance + self.settings.gp_weight * penalty
        if self.settings.drift:
            loss = loss + self.settings.drift * D_real.square().mean()
        return loss, distance, penalty

    def _generator_loss(self, z: Float[Tensor, "n z"]) -> Float[Tensor, ""]:
        """What the generator descends."""
        with self.compute.autocast():
            fooled = self.D(self._moved(self.G(z)))[0]
        return generator_loss(wide(fooled))

    def _moved(self, images: Float[Tensor, "n 1 s s"]) -> Float[Tensor, "n 1 s s"]:
        reach = self.settings.translate
        return shifted(images, shifts(len(images), reach)) if reach else images


class DcganTask(AdversarialTask):
    """One step of the discriminator, one of the generator with the non-saturating loss (Radford et al. 2016)."""

    def __init__(self, G: DcganGenerator, D: Discriminator, z_dim: int, rate: float, compute: Compute) -> None:
        self.G, self.D, self.best, self.z_dim, self.compute = G.train(), D.train(), G, z_dim, compute
        self.modules = {"G": G, "D": D}
        self.optimisers = {name: adam(module.parameters(), rate, compute) for name, module in self.modules.items()}

    def step(self, X: Float[Tensor, "n 1 s s"]) -> Mapping[str, Tensor]:
        """See Task."""
        X = 2 * X - 1
        with self.compute.autocast():
            fake = self.G(normal(len(X), self.z_dim, X.device))
            D_real, D_fake = wide(self.D(X)[0]), wide(self.D(fake.detach())[0])
        seen = discriminator_loss(D_real, D_fake)
        descend(self.optimisers["D"], seen)
        with self.compute.autocast():
            fooled = wide(self.D(fake)[0])
        loss = non_saturating_loss(fooled)
        descend(self.optimisers["G"], loss)
        return {"discriminator": seen.detach(), "generator": loss.detach()}
