"""f-AnoGAN: WGAN-GP and an encoder; equation 1 joins A_R and A_D, and the critic's features go on to clustering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from layerwatch.detectors.base import Checkpoint, Detector, anomaly_score, check_images
from layerwatch.detectors.networks.inputs import Window, to_heat, to_tensor
from layerwatch.detectors.networks.layers import channels_last, initialise
from layerwatch.detectors.networks.tasks import EncoderTask, WganTask
from layerwatch.detectors.networks.training import Run, train
from layerwatch.detectors.networks.weights import modules_of, state_of
from layerwatch.detectors.networks.wgan import Critic, Encoder, Generator
from layerwatch.records import LayerImage, Progress, Reading, silent


@dataclass
class Fanogan(Detector):
    """The paper's on-line detector: one pass through E, G and twice D_f.

    A_R and A_D are mean squared errors, of images in the stretched range [0, 1] and of D_f; the score is A with
    ``lam``.
    After the paper's encoder training, ``tuning_steps`` train encoder and generator together with the critic frozen.
    """

    summary: ClassVar[str] = "WGAN-GP with an encoder: equation 1 and the critic's features"
    source: ClassVar[str] = "Zeiser et al. 2023, Figure 6 C; Schlegl et al. 2019; Gulrajani et al. 2017"

    size: int = 64  # px of the networks
    width: float = 0.25  # of Table 1's channels
    z_dim: int = 64
    lam: float = 0.1
    batch: int = 32
    wgan_steps: int = 700
    encoder_steps: int = 500
    tuning_steps: int = 500
    n_critic: int = 3
    gp_weight: float = 10.0
    rates: tuple[float, float] = (2e-4, 2e-4)  # generator, critic
    encoder_rate: float = 5e-4
    modules_: dict[str, nn.Module] = field(default_factory=dict, repr=False)
    window_: Window = field(default_factory=lambda: Window(0.0, 1.0), repr=False)

    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> Fanogan:
        """See Detector: WGAN-GP first, then the encoder, then both tuned together."""
        check_images(images)
        self.window_, (E, G, D) = Window.of(images), self._build()
        for module in (E, G, D):
            initialise(module, torch.Generator().manual_seed(seed))
        X = to_tensor(images, self.size, self.window_)

        adversarial = WganTask(G, D, self.z_dim, self.rates, self.n_critic, self.gp_weight)
        train(adversarial, X, Run("WGAN-GP", self.wgan_steps, self.batch, seed), progress, checkpoint)
        mapping = EncoderTask(E, G, D, self.encoder_rate, (1 - self.lam, self.lam), tune=False)
        train(mapping, X, Run("encoder", self.encoder_steps, self.batch, seed + 1), progress, checkpoint)
        if self.tuning_steps:
            tuning = EncoderTask(E, G, D, self.encoder_rate, (10.0, 1.0), tune=True)
            train(tuning, X, Run("tuning", self.tuning_steps, self.batch, seed + 2), progress, checkpoint)

        self.modules_ = {"E": E.eval(), "G": G.eval(), "D": D.eval()}
        return self

    @torch.no_grad()
    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector; the heat map is X - G(E(X)) in grey."""
        E, G, D = (self.modules_[name] for name in "EGD")
        readings: list[Reading] = []
        for start in range(0, len(images), self.batch):
            chunk = images[start : start + self.batch]
            X = 2 * to_tensor(chunk, self.size, self.window_) - 1
            GEX = G(E(X))
            features = torch.stack([D(X)[1], D(GEX)[1]], 1)
            rest = (X - GEX) / 2
            A_R = rest.square().mean((1, 2, 3)).tolist()
            A_D = (features[:, 0] - features[:, 1]).square().mean(1).tolist()
            heats = to_heat(rest, chunk[0].pixels.shape, self.window_)
            told = zip(chunk, A_R, A_D, heats, features.numpy(), strict=True)
            readings += [Reading(i.job, i.layer, anomaly_score(r, d, self.lam), r, d, h, f) for i, r, d, h, f in told]
        return tuple(readings)

    def arrays(self) -> dict[str, np.ndarray]:
        """See Detector."""
        return state_of(self.modules_, self.window_)

    def restore(self, arrays: dict[str, np.ndarray]) -> Fanogan:
        """See Detector."""
        self.modules_ = dict(zip("EGD", self._build(), strict=True))
        self.window_ = modules_of(self.modules_, arrays)
        return self

    @classmethod
    def smallest(cls) -> Fanogan:
        """See Detector."""
        return cls(size=32, width=0.125, z_dim=16, batch=16, wgan_steps=40, encoder_steps=60, tuning_steps=120)

    def _build(self) -> tuple[Encoder, Generator, Critic]:
        E = Encoder(self.size, self.width, self.z_dim)
        G = Generator(self.size, self.width, self.z_dim)
        return channels_last(E), channels_last(G), channels_last(Critic(self.size, self.width))
