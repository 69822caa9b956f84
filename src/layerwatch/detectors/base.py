"""Layer images -> readings. What every detector is, and equation 1 of the paper."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol, Self, runtime_checkable

import numpy as np

from layerwatch.records import LayerImage, Progress, Reading, silent

Need = Literal["image", "plan"]


@runtime_checkable
class Checkpoint(Protocol):
    """Where a long fit keeps its state so that it can go on after an interruption."""

    def load(self, name: str) -> bytes | None:
        """Return what was saved last under that name, or None."""

    def save(self, name: str, data: bytes) -> None:
        """Keep the bytes; all or nothing."""


class Detector(ABC):
    """How unlike healthy is this image? Settings are dataclass fields; what ``fit`` learns ends in ``_``.

    A detector sees healthy images only and never a label. ``needs`` says what must be known of a layer.
    """

    summary: ClassVar[str]
    source: ClassVar[str]
    needs: ClassVar[frozenset[Need]] = frozenset({"image"})

    @abstractmethod
    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> Self:
        """Learn what healthy looks like; the same images and seed give the same detector."""

    @abstractmethod
    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """One reading an image, in order."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Everything ``fit`` learned, ready to be stored."""

    @abstractmethod
    def restore(self, arrays: dict[str, np.ndarray]) -> Self:
        """Take over what ``arrays`` of a fitted detector of the same settings gave."""


def anomaly_score(A_R: float, A_D: float, lam: float = 0.1) -> float:
    """Equation 1: ``A = (1 - lam) A_R + lam A_D``; lam 0 and 1 give exactly A_R and A_D."""
    if lam == 0:
        return A_R
    return A_D if lam == 1 else (1 - lam) * A_R + lam * A_D
