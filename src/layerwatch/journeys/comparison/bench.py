"""A group of jobs and fitted detectors -> the scores of every layer; frames live only as long as their job is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from layerwatch.detectors.base import Detector
from layerwatch.evaluation.courses import Course
from layerwatch.images.job_place import RunningPlace
from layerwatch.job.printing import JobSettings, print_job
from layerwatch.journeys.comparison.competitors import Competitor
from layerwatch.journeys.comparison.groups import Group
from layerwatch.journeys.comparison.unlisted import UNLISTED, spoiled
from layerwatch.journeys.comparison.views import viewed
from layerwatch.records import LayerImage


@dataclass(frozen=True)
class Fit:
    """What a detector was fitted to."""

    detector: str
    seed: int
    polluted: float = 0.0
    view: str = ""

    @classmethod
    def of(cls, competitor: Competitor, seed: int, polluted: float = 0.0) -> Fit:
        """That a competitor needs."""
        return cls(competitor.detector, seed, polluted, competitor.view)

    @property
    def name(self) -> str:
        """Of files."""
        return f"{self.detector}{self.view and '@'}{self.view}-{self.seed}-{self.polluted:g}"


@dataclass(frozen=True)
class Read:
    """What one competitor made of one group."""

    competitor: Competitor
    courses: tuple[Course, ...]


@dataclass(frozen=True, eq=False)
class Seen:
    """One layer of a job."""

    image: LayerImage
    is_defective: bool
    severity: float


@dataclass(frozen=True, eq=False)
class Bench:
    """The work of a crew: print the jobs of a group one after the other and have them read."""

    groups: dict[str, Group]
    missing: dict[str, tuple[Competitor, ...]]  # by group
    fitted: dict[Fit, Detector]

    def __call__(self, name: str) -> tuple[Read, ...]:
        """Read one group."""
        group, competitors = self.groups[name], self.missing[name]
        courses: dict[Competitor, list[Course]] = {competitor: [] for competitor in competitors}
        for job in group.jobs:
            layers = list(seen_layers(job, group))
            images = laid([layer.image for layer in layers])
            defective = np.array([layer.is_defective for layer in layers])
            severity = max((layer.severity for layer in layers), default=0.0)
            for competitor in competitors:
                detector = self.fitted[Fit.of(competitor, group.seed, group.polluted)]
                scores = scores_of(detector, competitor, images)
                courses[competitor].append(Course(job.name, group.seed, scores, defective, severity))
        return tuple(Read(competitor, tuple(own)) for competitor, own in courses.items())


def laid(images: Sequence[LayerImage]) -> list[LayerImage]:
    """The layers of one job with their plans where its prints lie, as ``score`` and ``inspect`` lay them."""
    running = RunningPlace()
    return [running.take(image) for image in images]


def scores_of(detector: Detector, competitor: Competitor, images: Sequence[LayerImage]) -> np.ndarray:
    """One score a layer of one job."""
    if competitor.view:
        images = viewed(images, competitor.view)
    readings = detector.follow(images) if competitor.follows else detector.read(images)
    return np.array([reading.score for reading in readings], np.float64)


def images_of(settings: JobSettings) -> Iterator[Seen]:
    """The layers of a job as a detector gets them."""
    machine = settings.machine
    for printed in print_job(settings):
        image = LayerImage(
            settings.name,
            printed.layer,
            (printed.frame / np.float32(65535)).astype(np.float32),
            machine.mm_per_px,
            printed.plan,
            f"{settings.name}/{printed.layer}",
            machine.span,
            printed.coverage,
        )
        severity = max((record.severity for record in printed.truth.defects), default=0.0)
        yield Seen(image, printed.truth.is_defective, severity)


def seen_layers(settings: JobSettings, group: Group) -> Iterator[Seen]:
    """The same, with what the group does to frames and plans."""
    layers = list(images_of(settings))
    if group.kind in UNLISTED:
        changed = spoiled([layer.image for layer in layers], settings, group.kind, group.severity, group.ages)
        layers = [Seen(*told) for told in changed]
    for layer in layers:
        rng = np.random.default_rng([*settings.seed, 78])
        yield Seen(group.error.applied(layer.image, rng), layer.is_defective, layer.severity)
