"""WGAN-GP of Table 1 with the encoder of f-AnoGAN: z -> G(z) in [-1, 1]; X -> D_f(X), D(X); X -> E(X) = z.

At 128 px and width 1: generator 976,066 + critic 4,721,281 = 5,697,347 trainable parameters. At other sizes units are
added or taken away, the middle ones first; D_f stays the last convolution's output, 4 x 4 px.
"""

from __future__ import annotations

from itertools import pairwise
from math import log2

import torch
from jaxtyping import Float
from torch import Tensor, nn

from layerwatch.detectors.networks.layers import conv, scaled
from layerwatch.detectors.networks.parallel import BatchNorm, Dropout
from layerwatch.detectors.networks.penalty import is_known
from layerwatch.records import UsageError

_CRITIC = {
    3: (64, 128, 512),
    4: (64, 128, 256, 512),
    5: (64, 128, 128, 256, 512),
    6: (64, 128, 128, 128, 256, 512),
}
_GENERATOR = {3: (128, 64), 4: (128, 64, 64), 5: (128, 64, 64, 64), 6: (128, 64, 64, 64, 64)}
SIZES = (32, 64, 128, 256)


def units_of(size: int) -> int:
    """How many times 4 px double to ``size``."""
    if size not in SIZES:
        raise ValueError(f"size {size} px; there are {', '.join(map(str, SIZES[:-1]))} and {SIZES[-1]}")
    return int(log2(size / 4))


class Generator(nn.Module):
    """Dense, then units of nearest up-sampling, convolution, batch normalisation, LeakyReLU; tanh at the end."""

    def __init__(self, size: int = 128, width: float = 1.0, z_dim: int = 128) -> None:
        super().__init__()
        first = scaled(256, width)
        channels = [first, *(scaled(c, width) for c in _GENERATOR[units_of(size)])]
        self.dense = nn.Sequential(
            nn.Linear(z_dim, first * 16, bias=False),
            *(BatchNorm(first * 16), nn.LeakyReLU(0.2), nn.Unflatten(1, (first, 4, 4))),
        )
        units = [self._unit(a, b) for a, b in pairwise(channels)]
        last = nn.Sequential(nn.Upsample(scale_factor=2), conv(channels[-1], 1, 3, 1, bias=False), BatchNorm(1))
        self.units = nn.Sequential(*units, last, nn.Tanh())

    @staticmethod
    def _unit(inner: int, outer: int) -> nn.Sequential:
        up = nn.Upsample(scale_factor=2, mode="nearest")
        return nn.Sequential(up, conv(inner, outer, 3, 1, bias=False), BatchNorm(outer), nn.LeakyReLU(0.2))

    def forward(self, z: Float[Tensor, "n z"]) -> Float[Tensor, "n 1 s s"]:
        """G(z)."""
        images: Tensor = self.units(self.dense(z))
        return images


class Critic(nn.Module):
    """Convolutions of stride 2 with LeakyReLU and dropout, no normalisation, one number at the end.

    Args:
        size: px of the images.
        width: of Table 1's channels.
        layer_norm: normalise each image's activations after every convolution but the first (not in the paper).
        before: take D_f before the last activation instead of after it.
        back: take D_f so many convolutions before the last one (0, the paper's: the last).
    """

    def __init__(
        self, size: int = 128, width: float = 1.0, *, layer_norm: bool = False, before: bool = False, back: int = 0
    ) -> None:
        super().__init__()
        channels = [1, *(scaled(c, width) for c in _CRITIC[units_of(size)])]
        last = len(channels) - 2
        units: list[nn.Module] = []
        for i, (inner, outer) in enumerate(pairwise(channels)):
            units += [conv(inner, outer), *([nn.GroupNorm(1, outer)] if layer_norm and i else [])]
            if i < last or not before:
                units.append(nn.LeakyReLU(0.2))
            if 0 < i < last:
                units.append(Dropout(0.3))
        self.features = nn.Sequential(*units, nn.Flatten())
        activation = [nn.LeakyReLU(0.2)] if before else []
        self.judge = nn.Sequential(*activation, Dropout(0.2), nn.Linear(channels[-1] * 16, 1))
        if not 0 <= back <= last:
            raise UsageError(f"D_f {back} convolutions before the last of {last + 1}; give one from 0 to {last}")
        ends = [i for i, unit in enumerate(units) if isinstance(unit, nn.LeakyReLU)]
        self._cut = len(self.features) if back == 0 else ends[last - back] + 1

    def layers(self) -> list[nn.Module]:
        """All layers in order, from the image to the number."""
        return [*self.features, *self.judge]

    @property
    def is_plain(self) -> bool:
        """Whether its input gradient can be written as a forward computation."""
        return is_known(self.layers())

    def forward(self, X: Float[Tensor, "n 1 s s"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """D(X) and D_f(X), the activations of the last convolution, or of an earlier one."""
        D_f = self.features[: self._cut](X)
        return self.judge(self.features[self._cut :](D_f)).squeeze(1), D_f.flatten(1)


class Encoder(nn.Module):
    """Three convolutions with LeakyReLU and dropout, then z: linear, or within [-1, 1] by tanh (Schlegl's default)."""

    def __init__(self, size: int = 128, width: float = 1.0, z_dim: int = 128, *, tanh: bool = False) -> None:
        super().__init__()
        channels = [1, *(scaled(c, width) for c in (64, 128, 128))]
        units: list[nn.Module] = []
        for inner, outer in pairwise(channels):
            units += [conv(inner, outer), nn.LeakyReLU(0.2), Dropout(0.3)]
        self.units = nn.Sequential(*units, nn.Flatten(), nn.Linear(channels[-1] * (size // 8) ** 2, z_dim))
        self.tanh = tanh

    def forward(self, X: Float[Tensor, "n 1 s s"]) -> Float[Tensor, "n z"]:
        """E(X)."""
        z: Tensor = self.units(X)
        return torch.tanh(z) if self.tanh else z
