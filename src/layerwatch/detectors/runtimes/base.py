"""Images -> one pass through E, G and twice D_f, by whatever runs networks fastest here: what every runtime is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32

from layerwatch.records import UsageError


@dataclass(frozen=True, eq=False)
class Pass:
    """What a batch gives: both terms of equation 1, X - G(E(X)), and the features."""

    A_R: Float32[np.ndarray, " n"]
    A_D: Float32[np.ndarray, " n"]
    rest: Float32[np.ndarray, "n 1 s s"]  # in the stretched range, so between -1 and 1
    features: Float32[np.ndarray, "n 2 d"]  # D_f(X), D_f(G(E(X)))


OUTPUTS = ("A_R", "A_D", "rest", "features")
Reader = Callable[[Float32[np.ndarray, "n 1 s s"]], Pass]


class Runtime(ABC):
    """Runs an exported network, an ONNX graph from X in [0, 1] to ``OUTPUTS``, without torch."""

    summary: ClassVar[str]
    source: ClassVar[str]
    precisions: ClassVar[tuple[str, ...]] = ("fp32",)  # that it can be asked for

    @abstractmethod
    def open(self, graph: bytes, precision: str = "fp32") -> Reader:
        """Make the graph ready; any batch size may be read then.

        Raises:
            UsageError: the package is missing, or this machine cannot run that precision.
        """

    def check_precision(self, precision: str) -> None:
        """Refuse a precision that it does not know."""
        if precision not in self.precisions:
            known = ", ".join(self.precisions)
            raise UsageError(f"{type(self).__name__.lower()} runs no {precision!r}; there are: {known}")
