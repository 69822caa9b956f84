"""Healthy images -> a trained generator G and critic D, and what detectors make of them: A_R, A_D and D_f."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, cast

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn

from layerwatch.detectors.base import Checkpoint, Detector
from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.dcgan import DcganGenerator, Discriminator
from layerwatch.detectors.networks.framing import Framing
from layerwatch.detectors.networks.inputs import Window
from layerwatch.detectors.networks.layers import initialise
from layerwatch.detectors.networks.penalty import check_penalty
from layerwatch.detectors.networks.readings import readings_of
from layerwatch.detectors.networks.tasks.adversarial import AdversarialTask, DcganTask, Wasserstein, WganTask
from layerwatch.detectors.networks.tensors import to_heat, to_tensor
from layerwatch.detectors.networks.training import Run, train
from layerwatch.detectors.networks.weights import modules_of, state_of
from layerwatch.detectors.networks.wgan import Critic, Generator
from layerwatch.records import LayerImage, Progress, Reading, UsageError

GANS = ("wgan_gp", "dcgan")


@dataclass
class GanDetector(Detector):
    """What AnoGAN and f-AnoGAN share: a GAN trained on healthy images, its settings and its storage."""

    passing: ClassVar[frozenset[str]] = frozenset({"device", "compile"})

    gan: str = "wgan_gp"  # or dcgan
    size: int = 64  # px of the networks
    width: float = 0.25  # of Table 1's channels
    z_dim: int = 64
    lam: float = 0.1
    batch: int = 32
    gan_steps: int = 700  # of the generator
    n_critic: int = 3
    gp_weight: float = 10.0
    rates: tuple[float, float] = (2e-4, 2e-4)  # generator, critic; DCGAN takes the first for both
    precision: str = "fp32"  # or bf16
    device: str = "auto"
    compile: bool = False  # the losses of a training, on a GPU
    ema: float = 0.0  # this and what follows is off in the paper
    drift: float = 0.0
    translate: int = 0
    layer_norm: bool = False
    before: bool = False  # D_f before the last activation
    back: int = 0  # convolutions before the last one, whose output is D_f
    patience: int = 0
    tiles: bool = False  # frames larger than the networks are cut into tiles, not shrunk
    levelled: bool = False  # each frame loses its median first; how warm the bed is is then not judged
    modules_: dict[str, nn.Module] = field(default_factory=dict, repr=False)
    window_: Window = field(default_factory=lambda: Window(0.0, 1.0), repr=False)

    def arrays(self) -> dict[str, np.ndarray]:
        """See Detector."""
        return state_of(self.modules_, self.window_)

    def restore(self, arrays: dict[str, np.ndarray]) -> GanDetector:
        """See Detector."""
        self.modules_ = self._build()
        self.window_ = modules_of(self.modules_, arrays)
        self.compute().place(self.modules_.values())
        return self

    def compute(self) -> Compute:
        """Where the networks run."""
        return Compute.of(self.device, self.precision, compile=self.compile)

    @torch.no_grad()
    def generate(self, count: int, seed: int = 0) -> Float32[np.ndarray, "n s s"]:
        """Images in [0, 1] that the generator makes of standard normal z."""
        z = torch.randn(count, self.z_dim, generator=torch.Generator().manual_seed(seed))
        images = torch.cat([self.modules_["G"](some.to(self.compute().device)) for some in torch.split(z, self.batch)])
        return np.asarray(((images[:, 0] + 1) / 2).float().cpu().numpy(), np.float32)

    def as_seen(self, images: Sequence[LayerImage]) -> Float32[np.ndarray, "n s s"]:
        """Images as the networks see them: resized and stretched to [0, 1]."""
        return np.asarray(to_tensor(images, self.framing, self.window_)[:, 0].numpy(), np.float32)

    @property
    def framing(self) -> Framing:
        """How frames come to the networks."""
        return Framing(self.size, self.tiles, is_levelled=self.levelled)

    def _build(self) -> dict[str, nn.Module]:
        """Untrained networks by their letters."""
        if self.gan == "dcgan":
            return {
                "G": DcganGenerator(self.size, self.width, self.z_dim),
                "D": Discriminator(self.size, self.width),
            }
        if self.gan != "wgan_gp":
            raise UsageError(f"no GAN {self.gan!r}; there are: {', '.join(GANS)}")
        critic = Critic(self.size, self.width, layer_norm=self.layer_norm, before=self.before, back=self.back)
        return {"G": Generator(self.size, self.width, self.z_dim), "D": critic}

    def _begin(self, seed: int) -> dict[str, nn.Module]:
        """Freshly initialised networks."""
        modules = self._build()
        for name in sorted(modules, key="EGD".index):
            initialise(modules[name], torch.Generator().manual_seed(seed))
        return modules

    def _fit_gan(
        self,
        modules: dict[str, nn.Module],
        X: Float[Tensor, "n 1 s s"],
        held: Float[Tensor, "k 1 s s"],
        seed: int,
        progress: Progress,
        checkpoint: Checkpoint | None,
    ) -> None:
        """Train G and D; the averaged generator takes G's place where one was kept."""
        G, D, compute = modules["G"], modules["D"], self.compute()
        task: AdversarialTask
        if self.gan == "dcgan":
            G, D = cast("DcganGenerator", G), cast("Discriminator", D)
            task, name = DcganTask(G, D, self.z_dim, self.rates[0], compute), "DCGAN"
        else:
            G, D = cast("Generator", G), cast("Critic", D)
            if D.is_plain:
                check_penalty(D.layers(), self.size)
            wanted = Wasserstein(self.rates, self.n_critic, self.gp_weight, self.drift, self.translate, self.ema)
            task, name = WganTask(G, D, self.z_dim, wanted, compute), "WGAN-GP"
        train(task, X, Run(name, self.gan_steps, self.batch, seed, patience=self.patience), progress, checkpoint, held)
        modules["G"] = task.best

    def _readings(
        self,
        images: Sequence[LayerImage],
        X: Float[Tensor, "m 1 s s"],
        GX: Float[Tensor, "m 1 s s"],
    ) -> Iterable[Reading]:
        """Equation 1 for images in [-1, 1] and what the generator makes of them; the heat map is X - G in grey.

        Of a frame in tiles the worst tile counts.
        """
        with self.compute().autocast():
            features = torch.stack(self.modules_["D"](torch.cat([X, GX]))[1].float().chunk(2), 1)
        rest = (X - GX) / 2
        A_R = rest.square().mean((1, 2, 3)).cpu().numpy()
        A_D = (features[:, 0] - features[:, 1]).square().mean(1).cpu().numpy()
        heats = to_heat(rest, self.framing, images[0].pixels.shape, self.window_)
        yield from readings_of(images, A_R, A_D, heats, features.cpu().numpy(), self.lam)
