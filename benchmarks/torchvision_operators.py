"""An environment with a CPU build of torch and PyPI's torchvision -> one in which anomalib can be imported."""

from __future__ import annotations

import sys
from typing import Any

import torch

_kept: list[Any] = []  # a library undefines its operators when it goes


def declare_torchvision_operators() -> None:
    """PyPI's torchvision beside a CPU build of torch has no compiled operators; it asks for two of them at import."""
    try:
        import torchvision  # noqa: F401 # only to see whether it can be imported
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        kind: Any = torch.library.Library
        library = kind("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _kept.append(library)
