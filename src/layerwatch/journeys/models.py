"""Detectors and networks -> what there is, with the trainable parameters of each."""

from __future__ import annotations

from layerwatch import catalogue


def model_lines() -> list[str]:
    """The detectors by name, then the networks of Table 1 with their counts; without torch only the detectors."""
    lines = ["detectors"]
    lines += [f"  {name:34s} {catalogue.caption('detectors', name)}" for name in catalogue.names("detectors")]
    try:
        from layerwatch.detectors.networks.table_1 import table_1
    except ModuleNotFoundError:
        return [*lines, "", "networks: install torch to see them, `pip install layerwatch[torch]`"]
    lines += ["", f"networks of Table 1 {'':14s} {'px':>5s} {'parameters':>12s}"]
    for (group, size), counts in table_1().items():
        lines.append(f"  {group:32s} {size:5d} {sum(counts.values()):12,d}")
        if len(counts) > 1:
            lines += [f"    {name:30s} {'':5s} {count:12,d}" for name, count in counts.items()]
    return lines


def parameters_of_table_1() -> dict[str, int]:
    """Trainable parameters of VAE, DCGAN and WGAN at full size."""
    from layerwatch.detectors.networks.table_1 import table_1

    return {group.removesuffix("-GP"): sum(counts.values()) for (group, _), counts in table_1().items()}
