"""OpenVINO: exported networks on processors, without torch; in bf16 where the processor can."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from layerwatch.detectors.runtimes.base import OUTPUTS, Pass, Reader, Runtime
from layerwatch.records import UsageError

_HINTS = {"fp32": "f32", "bf16": "bf16"}
_KEPT = 4  # shapes that stay compiled: single images, full batches, their rests


@dataclass(frozen=True)
class OpenVino(Runtime):
    """Intel's runtime; the precision is always given, its own choice may change between versions."""

    summary: ClassVar[str] = "OpenVINO, fp32 or bf16"
    source: ClassVar[str] = "openvino.ai"
    precisions: ClassVar[tuple[str, ...]] = ("fp32", "bf16")

    threads: int = 0  # 0: as many as there are cores

    def open(self, graph: bytes, precision: str = "fp32") -> Reader:
        """See Runtime."""
        self.check_precision(precision)
        try:
            import openvino
        except ModuleNotFoundError:
            raise UsageError("runtime openvino needs its package: `pip install layerwatch[openvino]`") from None
        core = openvino.Core()
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "bf16" and "BF16" not in able:
            raise UsageError(f"this processor computes {', '.join(able)}, no bf16; give --precision fp32")
        wanted = {"INFERENCE_PRECISION_HINT": _HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
        if self.threads:
            wanted["INFERENCE_NUM_THREADS"] = str(self.threads)

        @lru_cache(_KEPT)
        def compiled(shape: tuple[int, ...]) -> Any:
            """For one shape: known shapes run a fifth faster than a batch of any size."""
            model = core.read_model(graph)
            model.reshape(list(shape))
            return core.compile_model(model, "CPU", wanted)

        def read(X: np.ndarray) -> Pass:
            found = compiled(X.shape)([X])
            return Pass(*(np.array(found[name], np.float32) for name in OUTPUTS))

        return read
