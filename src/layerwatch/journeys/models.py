"""Detectors and networks -> what there is, with the trainable parameters of each."""

from __future__ import annotations

from layerwatch import catalogue
from layerwatch.records import UsageError

_HEAD = f"  {'network':28s} {'size':>5s} {'width':>6s} {'parameters':>12s}"


def model_lines() -> list[str]:
    """The detectors by name, then the networks of Table 1 with their counts.

    Raises:
        UsageError: torch is missing, which the networks need.
    """
    lines = ["detectors"]
    lines += [f"  {name:28s} {catalogue.caption('detectors', name)}" for name in catalogue.names("detectors")]
    try:
        from torch import nn

        from layerwatch.detectors.networks.dcgan import DcganGenerator, Discriminator
        from layerwatch.detectors.networks.layers import parameter_count
        from layerwatch.detectors.networks.vae import VaeNetwork
        from layerwatch.detectors.networks.wgan import Critic, Encoder, Generator
    except ModuleNotFoundError:
        print("\n".join(lines))
        raise UsageError("the networks need the package torch; install it, see README") from None
    groups: dict[str, dict[str, nn.Module]] = {
        "VAE": {"VAE": VaeNetwork()},
        "DCGAN": {"generator": DcganGenerator(), "discriminator": Discriminator()},
        "WGAN-GP": {"generator": Generator(), "critic": Critic()},
        "f-AnoGAN encoder": {"encoder (no count published)": Encoder()},
    }
    sizes = {"VAE": 64, "DCGAN": 64, "WGAN-GP": 128, "f-AnoGAN encoder": 128}
    lines += ["", "networks of Table 1 (recipe paper)", _HEAD]
    for group, networks in groups.items():
        counts = {name: parameter_count(network) for name, network in networks.items()}
        lines.append(f"  {group:28s} {sizes[group]:5d} {1.0:6.2f} {sum(counts.values()):12,d}")
        if len(counts) > 1:
            lines += [f"    {name:26s} {'':5s} {'':6s} {count:12,d}" for name, count in counts.items()]
    return lines
