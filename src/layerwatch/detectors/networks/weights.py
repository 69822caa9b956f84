"""Trained modules and their window of grey -> arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from layerwatch.detectors.networks.inputs import Window


def state_of(modules: Mapping[str, nn.Module], window: Window) -> dict[str, np.ndarray]:
    """Every weight and buffer by module and name."""
    kept = {f"{m}.{key}": value for m, module in modules.items() for key, value in module.state_dict().items()}
    state = {key: value.detach().cpu().contiguous().numpy() for key, value in kept.items()}
    return state | {"window": np.array([window.low, window.high])}


def modules_of(modules: Mapping[str, nn.Module], arrays: Mapping[str, np.ndarray]) -> Window:
    """Put the weights back, all of them, and set the modules to judging; returns the window of grey.

    Raises:
        RuntimeError: weights are missing or do not fit.
    """
    for name, module in modules.items():
        own = {k.removeprefix(f"{name}."): torch.tensor(v) for k, v in arrays.items() if k.startswith(f"{name}.")}
        module.load_state_dict(own)
        module.eval()
    low, high = arrays["window"].tolist()
    return Window(low, high)
