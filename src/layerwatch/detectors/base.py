"""Layer images -> readings. What every detector is, and equation 1 of the paper."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np

from layerwatch.records import DataError, LayerImage, Progress, Reading, silent

Need = Literal["image", "plan"]
_FEWEST = 8  # images to learn from
_CHUNK = 64  # images read at once, so that a bar moves


@runtime_checkable
class Checkpoint(Protocol):
    """Where a long fit keeps its state so that it can go on after an interruption."""

    def load(self, name: str) -> bytes | None:
        """Return what was saved last under that name, or None."""

    def save(self, name: str, data: bytes) -> None:
        """Keep the bytes; all or nothing."""


class DivergedError(DataError):
    """A loss is no longer finite; what was saved before it is sound."""


@runtime_checkable
class Generative(Protocol):
    """A detector that can also make images like those it has learnt."""

    def generate(self, count: int, seed: int = 0) -> np.ndarray:
        """``count`` images (n, s, s) in [0, 1]; the same seed gives the same ones."""

    def as_seen(self, images: Sequence[LayerImage]) -> np.ndarray:
        """Images as its networks see them (n, s, s), in [0, 1]."""


@runtime_checkable
class RunningJob(Protocol):
    """A job that a detector follows; what it keeps of earlier layers is no training."""

    def update(self, image: LayerImage) -> Reading:
        """Read the next layer of the job.

        Raises:
            DataError: the image lacks what the detector needs.
        """


class Detector(ABC):
    """How unlike healthy is this image? Settings are dataclass fields; what ``fit`` learns ends in ``_``.

    A detector sees healthy images only and never a label. ``needs`` says what must be known of a layer.
    """

    summary: ClassVar[str]
    source: ClassVar[str]
    needs: ClassVar[frozenset[Need]] = frozenset({"image"})
    passing: ClassVar[frozenset[str]] = frozenset()  # settings of the machine at hand, not stored with the model

    @abstractmethod
    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> Detector:
        """Learn what healthy looks like; the same images and seed give the same detector.

        Raises:
            DataError: the images cannot be learnt from (see ``check_images``), or the training diverges.
        """

    @abstractmethod
    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """One reading an image, in order.

        Raises:
            DataError: an image lacks what the detector needs.
        """

    def begin(self, job: str) -> RunningJob:
        """Follow a job from its first layer on; most detectors take each layer alone."""
        return _Alone(self)

    def follow(
        self, images: Sequence[LayerImage], *, step: str = "read", progress: Progress = silent
    ) -> tuple[Reading, ...]:
        """One reading an image, in order; each job is followed from its first image among them.

        Raises:
            DataError: an image lacks what the detector needs.
        """
        readings: list[Reading] = []
        if type(self).begin is Detector.begin:
            for start in range(0, len(images), _CHUNK):
                readings += self.read(images[start : start + _CHUNK])
                progress(step, len(readings), len(images))
            return tuple(readings)
        jobs = {image.job: self.begin(image.job) for image in images}
        for image in images:
            readings.append(jobs[image.job].update(image))
            progress(step, len(readings), len(images))
        return tuple(readings)

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Everything ``fit`` learned, ready to be stored."""

    @abstractmethod
    def restore(self, arrays: dict[str, np.ndarray]) -> Detector:
        """Take over what ``arrays`` of a fitted detector of the same settings gave."""

    @classmethod
    def smallest(cls) -> Detector:
        """Build the cheapest detector of the kind that still works, for the contract tests."""
        return cls()


@dataclass(frozen=True, eq=False)
class _Alone:
    """Each layer without its past."""

    detector: Detector

    def update(self, image: LayerImage) -> Reading:
        """See RunningJob."""
        return self.detector.read([image])[0]


def anomaly_score(A_R: float, A_D: float, lam: float = 0.1) -> float:
    """Equation 1: ``A = (1 - lam) A_R + lam A_D``; lam 0 and 1 give exactly A_R and A_D."""
    if lam == 0:
        return A_R
    return A_D if lam == 1 else (1 - lam) * A_R + lam * A_D


def check_images(images: Sequence[LayerImage], *, plan: bool = False) -> None:
    """Refuse what cannot be learnt from, by name.

    Raises:
        DataError: fewer than 8 images, mixed sizes, NaN, all images constant, or a plan is needed and missing.
    """
    if len(images) < _FEWEST:
        raise DataError(f"{len(images)} images are too few to learn from; give at least {_FEWEST} healthy ones")
    shape = images[0].pixels.shape
    for image in images:
        if image.pixels.shape != shape:
            a, b = ("{1} x {0}".format(*s) for s in (shape, image.pixels.shape))
            raise DataError(
                f"images of mixed sizes: {images[0].name} is {a}, {image.name} is {b} pixels; give one size"
            )
        if not np.isfinite(image.pixels).all():
            raise DataError(f"{image.name}: NaN or infinite pixels; mend or remove it")
    if plan:
        check_plans(images)
    if all(np.ptp(image.pixels) == 0 for image in images):
        raise DataError(f"all {len(images)} images are constant, for example {images[0].name}; look at the export")


def check_plans(images: Sequence[LayerImage]) -> None:
    """Refuse an image without a plan, by name."""
    for image in images:
        if image.plan is None:
            raise DataError(f"{image.name or f'layer {image.layer}'}: no plan for this layer; give its nominal mask")
