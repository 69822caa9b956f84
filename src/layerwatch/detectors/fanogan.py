"""f-AnoGAN: WGAN-GP and an encoder; equation 1 joins A_R and A_D, and the critic's features go on to clustering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from layerwatch.detectors.base import Checkpoint, check_images
from layerwatch.detectors.networks.gan_detector import GanDetector
from layerwatch.detectors.networks.graph import FanoganGraph
from layerwatch.detectors.networks.inputs import hold_out
from layerwatch.detectors.networks.tasks.encoding import EncoderTask
from layerwatch.detectors.networks.tensors import to_learn, to_tensor
from layerwatch.detectors.networks.training import Run, train
from layerwatch.detectors.networks.wgan import Encoder
from layerwatch.records import LayerImage, Progress, Reading, silent


@dataclass
class Fanogan(GanDetector):
    """The paper's on-line detector: one pass through E, G and twice D_f.

    A_R and A_D are mean squared errors, of images in the stretched range [0, 1] and of D_f; the score is A with
    ``lam``. After the paper's encoder training, ``tuning_steps`` train encoder and generator together with the critic
    frozen.
    """

    summary: ClassVar[str] = "WGAN-GP with an encoder: equation 1 and the critic's features"
    source: ClassVar[str] = "Zeiser et al. 2023, Figure 6 C; Schlegl et al. 2019; Gulrajani et al. 2017"

    encoder_steps: int = 500
    encoder_batch: int = 32
    encoder_rate: float = 5e-4
    tanh: bool = False  # z of the encoder within [-1, 1]
    tuning_steps: int = 500

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
        self.window_, modules, compute = self.framing.window(images), self._begin(seed), self.compute()
        X, held = (to_learn(some, self.framing, self.window_, seed) for some in hold_out(images))
        self._fit_gan(modules, X, held, seed, progress, checkpoint)

        E, G, D = (modules[name] for name in "EGD")
        mapping = EncoderTask(E, G, D, self.encoder_rate, (1 - self.lam, self.lam), compute, tune=False)
        run = Run("encoder", self.encoder_steps, self.encoder_batch, seed + 1, patience=self.patience)
        train(mapping, X, run, progress, checkpoint, held)
        if self.tuning_steps:
            tuning = EncoderTask(E, G, D, self.encoder_rate, (10.0, 1.0), compute, tune=True)
            run = Run("tuning", self.tuning_steps, self.encoder_batch, seed + 2, patience=self.patience)
            train(tuning, X, run, progress, checkpoint, held)

        self.modules_ = {name: modules[name].eval() for name in "EGD"}
        return self

    @torch.no_grad()
    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector; the heat map is X - G(E(X)) in grey."""
        readings: list[Reading] = []
        compute = self.compute()
        for start in range(0, len(images), self.batch):
            chunk = images[start : start + self.batch]
            X = 2 * to_tensor(chunk, self.framing, self.window_).to(compute.device) - 1
            with compute.autocast():
                GEX = self.modules_["G"](self.modules_["E"](X))
            readings += self._readings(chunk, X, GEX.float())
        return tuple(readings)

    def graph(self) -> FanoganGraph:
        """All that ``read`` computes as one network, to be exported."""
        return FanoganGraph(self.modules_).eval()

    @classmethod
    def smallest(cls) -> Fanogan:
        """See Detector."""
        return cls(size=32, width=0.125, z_dim=16, batch=16, gan_steps=40, encoder_steps=60, tuning_steps=120)

    def _build(self) -> dict[str, nn.Module]:
        return {"E": Encoder(self.size, self.width, self.z_dim, tanh=self.tanh), **super()._build()}
