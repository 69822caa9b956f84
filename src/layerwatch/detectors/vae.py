"""VAE: the reconstruction error of a variational autoencoder, A_R."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from layerwatch.detectors.base import Checkpoint, Detector, check_images
from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.framing import Framing
from layerwatch.detectors.networks.inputs import Window, hold_out
from layerwatch.detectors.networks.layers import initialise
from layerwatch.detectors.networks.losses import Elbo
from layerwatch.detectors.networks.tasks.autoencoding import VaeTask
from layerwatch.detectors.networks.tensors import to_heat, to_learn, to_tensor
from layerwatch.detectors.networks.training import Run, train
from layerwatch.detectors.networks.vae import VaeNetwork
from layerwatch.detectors.networks.weights import modules_of, state_of
from layerwatch.records import LayerImage, Progress, Reading, silent


@dataclass
class Vae(Detector):
    """Reconstructs X from the mean of z; the score is ``A_R = MSE(X, X')`` in the stretched range [0, 1]."""

    summary: ClassVar[str] = "reconstruction error of a variational autoencoder"
    source: ClassVar[str] = "Zeiser et al. 2023, Figure 6 A; Kingma and Welling 2014"
    passing: ClassVar[frozenset[str]] = frozenset({"device", "compile"})

    size: int = 64  # px of the network
    width: float = 0.5  # of Table 1's channels
    z_dim: int = 16
    steps: int = 1500
    batch: int = 64
    rate: float = 1e-3
    loss: str = "bce"  # or mse
    variational: bool = True  # False: a plain autoencoder
    precision: str = "fp32"  # or bf16
    device: str = "auto"
    compile: bool = False  # the loss of the training, on a GPU
    tiles: bool = False  # frames larger than the network are cut into tiles, not shrunk
    levelled: bool = False  # each frame loses its median first; how warm the bed is is then not judged
    patience: int = 0  # looks at held-out images without a better loss before it stops; 0: never
    modules_: dict[str, nn.Module] = field(default_factory=dict, repr=False)
    window_: Window = field(default_factory=lambda: Window(0.0, 1.0), repr=False)

    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> Vae:
        """See Detector."""
        check_images(images)
        self.window_, network = self._framing.window(images), self._build()
        initialise(network, torch.Generator().manual_seed(seed))
        X, held = (to_learn(some, self._framing, self.window_, seed) for some in hold_out(images))
        loss = Elbo(self.loss, is_variational=self.variational)
        task = VaeTask(network, self.z_dim, self.rate, self._compute(), loss)
        train(task, X, Run("VAE", self.steps, self.batch, seed, patience=self.patience), progress, checkpoint, held)
        self.modules_ = {"vae": network.eval()}
        return self

    @torch.no_grad()
    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector."""
        readings, compute = list[Reading](), self._compute()
        for start in range(0, len(images), self.batch):
            chunk = images[start : start + self.batch]
            X = to_tensor(chunk, self._framing, self.window_).to(compute.device)
            with compute.autocast():
                rest = (X - self.modules_["vae"](X)[0]).float()
            A_R = rest.square().mean((1, 2, 3)).view(len(chunk), -1).amax(1).tolist()  # of tiles the worst counts
            heats = to_heat(rest, self._framing, chunk[0].pixels.shape, self.window_)
            readings += [Reading(i.job, i.layer, a, A_R=a, heat=h) for i, a, h in zip(chunk, A_R, heats, strict=True)]
        return tuple(readings)

    def arrays(self) -> dict[str, np.ndarray]:
        """See Detector."""
        return state_of(self.modules_, self.window_)

    def restore(self, arrays: dict[str, np.ndarray]) -> Vae:
        """See Detector."""
        self.modules_ = {"vae": self._build()}
        self.window_ = modules_of(self.modules_, arrays)
        self._compute().place(self.modules_.values())
        return self

    @classmethod
    def smallest(cls) -> Vae:
        """See Detector."""
        return cls(size=32, width=0.125, steps=200, batch=16)

    def _build(self) -> VaeNetwork:
        return VaeNetwork(self.size, self.width, self.z_dim)

    @property
    def _framing(self) -> Framing:
        return Framing(self.size, self.tiles, is_levelled=self.levelled)

    def _compute(self) -> Compute:
        return Compute.of(self.device, self.precision, compile=self.compile)
