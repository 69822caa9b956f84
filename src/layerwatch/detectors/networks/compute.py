"""Words for device and precision -> where networks run, and in how many bits."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import nn

from layerwatch.records import UsageError

M = TypeVar("M", bound=nn.Module)
PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Compute:
    """Where networks run. In bf16 convolutions and products do; weights, sums and losses stay in 32 bit."""

    device: torch.device
    precision: str = "fp32"
    compile: bool = False  # losses by torch.compile while training

    @classmethod
    def of(cls, device: str = "auto", precision: str = "fp32", *, compile: bool = False) -> Compute:  # noqa: A002 # torch's word
        """By the words of a user; ``auto`` is the first GPU, or the processor where there is none.

        Raises:
            UsageError: there is no such device or precision, or compiling was asked for without a GPU.
        """
        if precision not in PRECISIONS:
            raise UsageError(f"no precision {precision!r}; there are: {', '.join(PRECISIONS)}")
        chosen = cls._device(device)
        if compile and chosen.type != "cuda":
            raise UsageError(f"compile=true is for GPUs, and the device is {chosen.type}; leave it out")
        return cls(chosen, precision, compile)

    @staticmethod
    def _device(device: str) -> torch.device:
        if device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            chosen = torch.device(device)
        except RuntimeError:
            raise UsageError(f"no device {device!r}; there are: auto, cpu, cuda") from None
        if chosen.type == "cuda" and not torch.cuda.is_available():
            raise UsageError(f"device {device!r} asked for, but torch sees no GPU; give --device cpu, or a CUDA build")
        if chosen.type not in ("cpu", "cuda"):
            raise UsageError(f"no device {device!r}; there are: auto, cpu, cuda")
        return chosen

    def autocast(self) -> AbstractContextManager[object]:
        """Within it, convolutions and products run in the precision."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16")

    def place(self, modules: Iterable[nn.Module]) -> None:
        """Move modules there, laid out for fast convolutions."""
        for module in modules:
            module.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload] # not in the stubs


def has_fast_bf16() -> bool:
    """Whether the processor itself computes in bf16; without it bf16 is emulated and slower than 32 bit."""
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):  # built without oneDNN
        return False
