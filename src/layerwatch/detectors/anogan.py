"""AnoGAN: a GAN, and for each image a search for the z that explains it best; equation 1 is the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float

from layerwatch.detectors.base import Checkpoint, check_images
from layerwatch.detectors.networks.gan_detector import GanDetector
from layerwatch.detectors.networks.inputs import hold_out
from layerwatch.detectors.networks.latent_search import Search, best_z
from layerwatch.detectors.networks.tensors import to_learn, to_tensor
from layerwatch.records import LayerImage, Progress, Reading, silent


@dataclass
class Anogan(GanDetector):
    """Finds ``z(X)`` by gradient steps on A(X, z), many images at once; both networks stay as they are.

    The search begins at the same few points for every image, so a score does not depend on the company, and keeps the
    best z on its way, so more steps never raise the score. The paper takes 3500 steps and no early stop.
    """

    summary: ClassVar[str] = "a GAN and a search for each image's z: equation 1, slow"
    source: ClassVar[str] = "Zeiser et al. 2023, Figure 6 B; Schlegl et al. 2017"

    search_steps: int = 300
    search_rate: float = 0.05
    search_batch: int = 16  # images searched at once
    restarts: int = 1  # points at which each search begins
    tolerance: float = 0.01  # share by which A must fall in 50 steps, or the search ends; 0: it never ends early

    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> Anogan:
        """See Detector: the GAN only."""
        check_images(images)
        self.window_, modules = self.framing.window(images), self._begin(seed)
        X, held = (to_learn(some, self.framing, self.window_, seed) for some in hold_out(images))
        self._fit_gan(modules, X, held, seed, progress, checkpoint)
        self.modules_ = {name: modules[name].eval() for name in "GD"}
        return self

    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector; the heat map is X - G(z) in grey."""
        G, D, compute = self.modules_["G"], self.modules_["D"], self.compute()
        search = Search(self.search_steps, self.search_rate, self.lam, self.restarts, self.tolerance)
        readings: list[Reading] = []
        for start in range(0, len(images), self.search_batch):
            chunk = images[start : start + self.search_batch]
            X = 2 * to_tensor(chunk, self.framing, self.window_).to(compute.device) - 1
            z = best_z(X, G, D, self.z_dim, search, compute)[0]
            with torch.no_grad():
                readings += self._readings(chunk, X, G(z).float())
        return tuple(readings)

    def z_of(self, images: Sequence[LayerImage]) -> Float[torch.Tensor, "n z"]:
        """The z that explains each image best."""
        X = 2 * to_tensor(images, self.framing, self.window_).to(self.compute().device) - 1
        search = Search(self.search_steps, self.search_rate, self.lam, self.restarts, self.tolerance)
        return best_z(X, self.modules_["G"], self.modules_["D"], self.z_dim, search, self.compute())[0]

    @classmethod
    def smallest(cls) -> Anogan:
        """See Detector."""
        return cls(size=32, width=0.125, z_dim=16, batch=16, gan_steps=240, search_steps=120, rates=(1e-3, 1e-3))
