"""DCGAN of Table 1: z -> G(z) in [-1, 1], X -> the logit D(X) and D_f(X); 3,039,041 weights at 64 px, width 1.

Generator 2,799,680 and discriminator 239,361 trainable parameters. At 32 and 128 px the generator begins from 4 x 4 and
16 x 16 px.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from layerwatch.detectors.networks.layers import conv, deconv, scaled
from layerwatch.detectors.networks.parallel import BatchNorm, Dropout


class DcganGenerator(nn.Module):
    """Dense, then four transposed convolutions, three of them doubling; batch normalisation, LeakyReLU 0.3, tanh."""

    def __init__(self, size: int = 64, width: float = 1.0, z_dim: int = 100) -> None:
        super().__init__()
        if size not in (32, 64, 128):
            raise ValueError(f"size {size} px; there are 32, 64 and 128")
        a, b, c, side = scaled(256, width), scaled(128, width), scaled(64, width), size // 8
        self.dense = nn.Sequential(
            nn.Linear(z_dim, a * side * side, bias=False),
            *(BatchNorm(a * side * side), nn.LeakyReLU(0.3), nn.Unflatten(1, (a, side, side))),
        )
        self.units = nn.Sequential(
            *(deconv(a, b, 1, bias=False), BatchNorm(b), nn.LeakyReLU(0.3)),
            *(deconv(b, c, bias=False), BatchNorm(c), nn.LeakyReLU(0.3)),
            *(deconv(c, c, bias=False), BatchNorm(c), nn.LeakyReLU(0.3)),
            *(deconv(c, 1, bias=False), nn.Tanh()),
        )

    def forward(self, z: Float[Tensor, "n z"]) -> Float[Tensor, "n 1 s s"]:
        """G(z)."""
        images: Tensor = self.units(self.dense(z))
        return images


class Discriminator(nn.Module):
    """Two convolutions of stride 2 with LeakyReLU and dropout 0.3, no normalisation, one logit at the end."""

    def __init__(self, size: int = 64, width: float = 1.0) -> None:
        super().__init__()
        a, b = scaled(64, width), scaled(128, width)
        self.features = nn.Sequential(
            *(conv(1, a), nn.LeakyReLU(0.3), Dropout(0.3)),
            *(conv(a, b), nn.LeakyReLU(0.3), nn.Flatten()),
        )
        self.judge = nn.Sequential(Dropout(0.3), nn.Linear(b * (size // 4) ** 2, 1))

    def forward(self, X: Float[Tensor, "n 1 s s"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n d"]]:
        """D(X), the logit, and D_f(X), the activations of the last convolution."""
        D_f = self.features(X)
        return self.judge(D_f).squeeze(1), D_f
