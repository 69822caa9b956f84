"""Layers of a job in order -> what neither their plans nor the job's own past explain, named and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import ClassVar, Literal

import numpy as np

from layerwatch.detectors.base import Checkpoint, Detector, Need, RunningJob, check_images, check_plans
from layerwatch.detectors.signals.outline import share_of_part
from layerwatch.detectors.signals.questions import Questioner
from layerwatch.detectors.signals.running import Running
from layerwatch.detectors.signals.scale import Scale, Standing
from layerwatch.detectors.signals.wording import finding_of
from layerwatch.records import DataError, LayerImage, Progress, Reading, silent

_ARRAYS = tuple(one.name for one in fields(Scale))


@dataclass
class PlanAware(Detector):
    """Asks each layer many questions once plan and past are taken away; the score tells how loud they are.

    A score of 0 is what half of the healthy layers stay below, of 1 what 99 of 100 do. ``begin`` keeps a running job's
    state; ``read`` takes every image alone, as if its job had just begun.
    """

    summary: ClassVar[str] = "what plan and the job's past cannot explain, named: blob, line, step, shift, texture"
    source: ClassVar[str] = "own; generalised least squares (Aitken 1935), matched filters (North 1943)"
    needs: ClassVar[frozenset[Need]] = frozenset({"image", "plan"})

    head: Literal["x", "y"] = "y"  # image axis along which the print head travels, for the words
    learn_from: int = 3000  # layers at most
    prior: float = 40.0  # layers that the virtual jobs behind the constants below count among those learnt from
    scale_: Scale = field(default_factory=Scale, repr=False)

    def fit(
        self,
        images: Sequence[LayerImage],
        *,
        seed: int = 0,
        progress: Progress = silent,
        checkpoint: Checkpoint | None = None,
    ) -> PlanAware:
        """See Detector; each job is followed from its first layer. A few unlike layers do no harm."""
        check_images(images, plan=True)
        asked, done, jobs = [], 0, self._chosen(images)
        for job in jobs:
            running, questioner = Running(), Questioner()
            asked.append(
                np.array([questioner.ask(running.update(i.pixels, share_of_part(i), i.layer), i).z for i in job])
            )
            done += len(job)
            progress("plan aware", done, sum(map(len, jobs)))
        self.scale_ = Scale.learnt(asked, self.prior)
        return self

    def _chosen(self, images: Sequence[LayerImage]) -> list[list[LayerImage]]:
        """Whole jobs, spread over all of them, until there are enough layers."""
        by_job: dict[str, list[LayerImage]] = {}
        for image in images:
            by_job.setdefault(image.job, []).append(image)
        jobs = [sorted(job, key=lambda image: image.layer) for job in by_job.values()]
        return jobs[:: max(1, -(-len(images) // self.learn_from))]

    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        """See Detector; every image alone."""
        check_plans(images)
        return tuple(self.begin(image.job).update(image) for image in images)

    def begin(self, job: str) -> RunningJob:
        """Follow a job from its first layer on."""
        return Followed(self.head, Standing(self.scale_))

    def arrays(self) -> dict[str, np.ndarray]:
        """See Detector."""
        return {name: getattr(self.scale_, name) for name in _ARRAYS}

    def restore(self, arrays: dict[str, np.ndarray]) -> PlanAware:
        """See Detector."""
        self.scale_ = Scale(**{name: arrays[name] for name in _ARRAYS})
        return self


@dataclass(eq=False)
class Followed:
    """A running job."""

    head: Literal["x", "y"]
    _standing: Standing
    _running: Running = field(default_factory=Running)
    _questioner: Questioner = field(default_factory=Questioner)
    _shape: tuple[int, ...] = ()

    def update(self, image: LayerImage) -> Reading:
        """The next layer."""
        check_plans([image])
        self._check_size(image)
        asked = self._questioner.ask(self._running.update(image.pixels, share_of_part(image), image.layer), image)
        heard = self._standing.take(asked.z)
        if self._standing.is_held:
            self._running.hold()
        found = finding_of(asked.answers[heard.loudest], image, self.head, max(self._standing.suspected, 1))
        return Reading(image.job, image.layer, heard.score, heat=asked.heat, finding=found)

    def _check_size(self, image: LayerImage) -> None:
        self._shape = self._shape or image.pixels.shape
        if image.pixels.shape != self._shape:
            a, b = ("{1} x {0}".format(*shape) for shape in (image.pixels.shape, self._shape))
            raise DataError(f"{image.name} is {a} pixels, the job's layers before it {b}; give one size")
