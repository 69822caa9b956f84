"""Variational autoencoder of Table 1: image in [0, 1] -> z -> image in [0, 1]; 1,430,209 weights at 64 px, width 1."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from layerwatch.detectors.networks.layers import conv, deconv, scaled


class VaeNetwork(nn.Module):
    """Three convolutions down, a dense bottleneck, four transposed convolutions up."""

    def __init__(self, size: int = 64, width: float = 1.0, z_dim: int = 16) -> None:
        super().__init__()
        a, b, side = scaled(64, width), scaled(128, width), size // 8
        self._shape, hidden = (b, side, side), scaled(32, width) * 2 if width < 1 else 32
        self.encode = nn.Sequential(
            *(conv(1, a), nn.ReLU(), conv(a, a), nn.ReLU(), conv(a, b), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(b * side * side, hidden), nn.ReLU()),
        )
        self.mean = nn.Linear(hidden, z_dim)
        self.log_variance = nn.Linear(hidden, z_dim)
        self.dense = nn.Sequential(nn.Linear(z_dim, b * side * side), nn.ReLU(), nn.Unflatten(1, self._shape))
        self.decode = nn.Sequential(
            *(deconv(b, b), nn.ReLU(), deconv(b, a), nn.ReLU(), deconv(a, a), nn.ReLU()),
            deconv(a, 1, stride=1),  # logits
        )

    def forward(
        self, X: Float[Tensor, "n 1 s s"], noise: Float[Tensor, "n z"] | None = None
    ) -> tuple[Float[Tensor, "n 1 s s"], Float[Tensor, "n z"], Float[Tensor, "n z"]]:
        """Reconstruction, mean and log-variance of z; without noise, z is its mean."""
        logits, mean, log_variance = self.logits(X, noise)
        return torch.sigmoid(logits), mean, log_variance

    def logits(
        self, X: Float[Tensor, "n 1 s s"], noise: Float[Tensor, "n z"] | None = None
    ) -> tuple[Float[Tensor, "n 1 s s"], Float[Tensor, "n z"], Float[Tensor, "n z"]]:
        """``forward`` before the sigmoid, as the loss wants it."""
        hidden = self.encode(X)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        z = mean if noise is None else mean + noise * torch.exp(0.5 * log_variance)
        return self.decode(self.dense(z)), mean, log_variance

    def generate(self, z: Float[Tensor, "n z"]) -> Float[Tensor, "n 1 s s"]:
        """The image of a z."""
        return torch.sigmoid(self.decode(self.dense(z)))
