"""ONNX Runtime: exported networks on processors, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from layerwatch.detectors.runtimes.base import OUTPUTS, Pass, Reader, Runtime
from layerwatch.records import UsageError


@dataclass(frozen=True)
class OnnxRuntime(Runtime):
    """Microsoft's runtime; in 32 bit."""

    summary: ClassVar[str] = "ONNX Runtime, fp32"
    source: ClassVar[str] = "onnxruntime.ai"

    threads: int = 0  # 0: as many as there are cores

    def open(self, graph: bytes, precision: str = "fp32") -> Reader:
        """See Runtime."""
        self.check_precision(precision)
        try:
            import onnxruntime
        except ModuleNotFoundError:
            raise UsageError("runtime onnxruntime needs its package: `pip install layerwatch[onnx]`") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return lambda X: Pass(*session.run(list(OUTPUTS), {"X": X}))
