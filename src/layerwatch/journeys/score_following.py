"""A job's frames and a detector -> a reading of each layer, or why there is none, each plan laid on its print first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from layerwatch.detectors.base import Detector, RunningJob
from layerwatch.images.job_place import LOOKED_AT, JobPlace, place_of_job
from layerwatch.journeys.score_frames import FrameFile, FrameJob, Refused, ScoreSource, holes_of
from layerwatch.records import DataError, LayerImage, Reading

_LOOKED_THROUGH = 20  # files of a job, to find enough layers to register


@dataclass(frozen=True, eq=False)
class SeenLayer:
    """One frame after the detector."""

    file: FrameFile
    image: LayerImage | None  # with the plan that was used
    reading: Reading | None
    refused: Refused | None = None
    note: str = ""  # for a person, beside a score


@dataclass(eq=False)
class JobFrames:
    """The layers of one job, their plans laid where its prints are."""

    source: ScoreSource
    job: FrameJob
    is_scaled: bool
    place: JobPlace = field(init=False)
    shape: tuple[int, ...] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        first: list[LayerImage] = []
        for file in self.job.files[:_LOOKED_THROUGH]:
            image = self.source.load(file)
            if isinstance(image, Refused):
                continue
            first.append(image)
            if len(first) == LOOKED_AT:
                break
        if first:
            self.shape = Counter(image.pixels.shape for image in first).most_common(1)[0][0]
        fits = [i for i in first if i.plan is not None and i.pixels.shape == self.shape]
        self.place = place_of_job(fits, is_scaled=self.is_scaled)

    def layers(self) -> Iterator[tuple[FrameFile, LayerImage | Refused]]:
        """Each frame as the detector should have it."""
        for file in self.job.files:
            found = self.source.load(file, self.shape)
            if isinstance(found, Refused):
                yield file, found
                continue
            self.shape = found.pixels.shape
            if self.place.reason:
                yield file, Refused("plan not registered", self.place.reason)
            else:
                yield file, self.place.lay(found)

    def usable(self) -> tuple[LayerImage, ...]:
        """All layers that a detector can learn from."""
        return tuple(i for _, i in self.layers() if isinstance(i, LayerImage) and not holes_of(i))


def follow(frames: JobFrames, detector: Detector) -> Iterator[SeenLayer]:
    """Score a job layer by layer; whatever happens to one layer, the next ones are scored."""
    running = detector.begin(frames.job.name)
    for file, image in frames.layers():
        if isinstance(image, Refused):
            yield SeenLayer(file, None, None, image)
            continue
        holes = holes_of(image)
        reading = _read(running, image, detector)
        if isinstance(reading, Refused):
            running = detector.begin(frames.job.name)
            yield SeenLayer(file, image, None, reading)
            continue
        note = f"{holes} pixels are NaN or infinite and say nothing" if holes else ""
        yield SeenLayer(file, image, reading, note=note)


def _read(running: RunningJob, image: LayerImage, detector: Detector) -> Reading | Refused:
    if "plan" not in detector.needs and holes_of(image):
        return Refused("unreadable", f"{holes_of(image)} pixels are NaN or infinite; mend the export, or give --plans")
    try:
        with np.errstate(all="ignore"):
            reading = running.update(image)
    except (DataError, ArithmeticError, ValueError) as error:  # also of linear algebra
        return Refused("not scored", f"the detector cannot take this layer ({error})")
    if not np.isfinite(reading.score):
        return Refused("not scored", "the detector gives no number for this layer")
    return reading
