"""The networks of the paper's Table 1 at full size -> their trainable parameters."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from layerwatch.detectors.networks.dcgan import DcganGenerator, Discriminator
from layerwatch.detectors.networks.layers import parameter_count
from layerwatch.detectors.networks.vae import VaeNetwork
from layerwatch.detectors.networks.wgan import Critic, Encoder, Generator

_NETWORKS: dict[tuple[str, int], dict[str, Callable[[], nn.Module]]] = {
    ("VAE", 64): {"VAE": VaeNetwork},
    ("DCGAN", 64): {"generator": DcganGenerator, "discriminator": Discriminator},
    ("WGAN-GP", 128): {"generator": Generator, "critic": Critic},
    ("f-AnoGAN encoder, not in Table 1", 128): {"encoder": Encoder},
}


def table_1() -> dict[tuple[str, int], dict[str, int]]:
    """Parameters of each part, by the network's name and the size of its images in px."""
    counted = {}
    for group, parts in _NETWORKS.items():
        counted[group] = {name: parameter_count(make()) for name, make in parts.items()}
    return counted
