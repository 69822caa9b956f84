"""WGAN-GP of Table 1 with the encoder of f-AnoGAN: z -> G(z) in [-1, 1]; X -> D_f(X), D(X); X -> E(X) = z.

At 128 px and width 1: generator 976,066 + critic 4,721,281 = 5,697,347 trainable parameters. At other sizes units are
added or taken away, the middle ones first; D_f stays the last convolution's output, 4 x 4 px.
"""

from __future__ import annotations

from itertools import pairwise
from math import log2

from jaxtyping import Float
from torch import Tensor, nn

from layerwatch.detectors.networks.layers import batch_norm, conv, scaled

_CRITIC = {3: (64, 128, 512), 4: (64, 128, 256, 512), 5: (64, 128, 128, 256, 512)}
_GENERATOR = {3: (128, 64), 4: (128, 64, 64), 5: (128, 64, 64, 64)}


def units_of(size: int) -> int:
    """How many times 4 px double to ``size``."""
    units = int(log2(size / 4))
    if units not in _CRITIC or 4 * 2**units != size:
        raise ValueError(f"size {size} px; there are 32, 64 and 128")
    return units


class Generator(nn.Module):
    """Dense, then units of nearest up-sampling, convolution, batch normalisation, LeakyReLU; tanh at the end."""

    def __init__(self, size: int = 128, width: float = 1.0, z_dim: int = 128) -> None:
        super().__init__()
        first = scaled(256, width)
        channels = [first, *(scaled(c, width) for c in _GENERATOR[units_of(size)])]
        self.dense = nn.Sequential(
            nn.Linear(z_dim, first * 16, bias=False),
            *(batch_norm(first * 16, flat=True), nn.LeakyReLU(0.2), nn.Unflatten(1, (first, 4, 4))),
        )
        units = [self._unit(a, b) for a, b in pairwise(channels)]
        last = nn.Sequential(nn.Upsample(scale_factor=2), conv(channels[-1], 1, 3, 1, bias=False), batch_norm(1))
        self.units = nn.Sequential(*units, last, nn.Tanh())

    @staticmethod
    def _unit(inner: int, outer: int) -> nn.Sequential:
        up = nn.Upsample(scale_factor=2, mode="nearest")
        return nn.Sequential(up, conv(inner, outer, 3, 1, bias=False), batch_norm(outer), nn.LeakyReLU(0.2))

    def forward(self, z: Float[Tensor, "n z"]) -> Float[Tensor, "n 1 s s"]:
        """G(z)."""
        images: Tensor = self.units(self.dense(z))
        return images


class Critic(nn.Module):
    """Convolutions of stride 2 with LeakyReLU and dropout, no normalisation, one number at the end."""

    def __init__(self, size: int = 128, width: float = 1.0) -> None:
        super().__init__()
        channels = [1, *(scaled(c, width) for c in _CRITIC[units_of(size)])]
        last = len(channels) - 2
        units: list[nn.Module] = []
        for i, (inner, outer) in enumerate(pairwise(channels)):
            units += [conv(inner, outer), nn.LeakyReLU(0.2)]
            if 0 < i < last:
                units.append(nn.Dropout(0.3))
        self.features = nn.Sequential(*units, nn.Flatten())
        self.judge = nn.Sequential(nn.Dropout(0.2), nn.Linear(channels[-1] * 16, 1))

    def forward(self, X: Float[Tensor, "n 1 s s"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """D(X) and D_f(X), the activations of the last convolution."""
        D_f = self.features(X)
        return self.judge(D_f).squeeze(1), D_f


class Encoder(nn.Module):
    """Three convolutions with LeakyReLU and dropout, then z, linear."""

    def __init__(self, size: int = 128, width: float = 1.0, z_dim: int = 128) -> None:
        super().__init__()
        channels = [1, *(scaled(c, width) for c in (64, 128, 128))]
        units: list[nn.Module] = []
        for inner, outer in pairwise(channels):
            units += [conv(inner, outer), nn.LeakyReLU(0.2), nn.Dropout(0.3)]
        self.units = nn.Sequential(*units, nn.Flatten(), nn.Linear(channels[-1] * (size // 8) ** 2, z_dim))

    def forward(self, X: Float[Tensor, "n 1 s s"]) -> Float[Tensor, "n z"]:
        """E(X)."""
        z: Tensor = self.units(X)
        return z
