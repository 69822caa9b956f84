"""Frames of one camera in order -> a verdict for each: gate, place of the plan, detector, judge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from layerwatch.detectors.base import Detector, RunningJob, check_plans
from layerwatch.images.arrivals import shot_of, unread
from layerwatch.images.gating import Answer, Gate
from layerwatch.images.job_place import RunningPlace
from layerwatch.records import DataError, Fault, LayerImage, Reading, Verdict
from layerwatch.verdict.judge import Judge, not_judged


@dataclass(frozen=True, eq=False)
class Judged:
    """One frame with all that was said about it; image and reading are None where the frame could not be judged.

    A layer whose frame never came has a verdict of its own.
    """

    verdict: Verdict
    image: LayerImage | None = None
    reading: Reading | None = None
    fault: Fault | None = None  # why it could not be judged


def refused(fault: Fault, name: str = "") -> Judged:
    """A frame that cannot be judged."""
    return Judged(not_judged(fault, name), fault=fault)


@dataclass(eq=False)
class Examiner:
    """Follows one job after the other. A frame is judged, or recorded as a fault with its reason; it is never lost.

    Where there is a gate, it sees each frame first, and the detector none in which it finds a fault.
    """

    detector: Detector
    judge: Judge
    size: tuple[int, int] | None = None  # px, height and width that the detector was trained on; None: any
    gate: Gate | None = None  # that has learnt what it needs; None: every frame goes to the detector
    _job: str | None = None
    _running: RunningJob | None = None
    _place: RunningPlace = field(default_factory=RunningPlace)

    def begin(self, job: str) -> None:
        """Forget the job before; the next frame is the first of this one."""
        self._job, self._running, self._place = job, None, RunningPlace()
        if self.gate is not None:
            self.gate.begin(job)

    def take(self, frame: LayerImage | Fault) -> Iterator[Judged]:
        """What is said of other layers when a frame comes, and last of the frame itself."""
        if self._job is None:
            self.begin(frame.job)
        answer = self._gated(frame)
        if answer is not None:
            yield from (refused(fault) for fault in answer.others)
        if isinstance(frame, Fault):
            yield refused(frame)
        elif answer is not None and answer.fault is not None:
            yield refused(answer.fault, frame.name)
        else:
            yield self._judged(frame)

    def _gated(self, frame: LayerImage | Fault) -> Answer | None:
        if self.gate is None or self.gate.known_ is None or frame.layer < 0:
            return None  # the gate keeps count of layers, and this frame's is not known
        if isinstance(frame, Fault):
            return self.gate.judge(unread(frame.job, frame.layer))
        return self.gate.judge(shot_of(frame, self.gate.known_), frame.plan)

    def _judged(self, image: LayerImage) -> Judged:
        if self.size is not None and image.pixels.shape != self.size:
            a, b = ("{1} x {0}".format(*size) for size in (image.pixels.shape, self.size))
            evidence, advice = f"{image.name} is {a} pixels, the model was trained on {b}", "give frames of that size"
            return refused(Fault(image.job, image.layer, "wrong size", evidence, advice, image.name))
        running = self._following(image.job)
        try:
            if "plan" in self.detector.needs:
                check_plans([image])
                image = self._place.take(image)
                if self._place.place.reason:
                    return _not_registered(image, self._place.place.reason)
            reading = running.update(image)
        except DataError as error:
            kind, advice = "not readable for the detector", "the layer is not judged"
            return refused(Fault(image.job, image.layer, kind, str(error), advice, image.name))
        if reading.score != reading.score:
            advice = "train the detector again"
            return refused(Fault(image.job, image.layer, "no score", "the score is NaN", advice, image.name))
        return Judged(self.judge.verdict(reading, image), image, reading)

    def _following(self, job: str) -> RunningJob:
        """The running job of that name; another one is followed anew."""
        if self._running is None or job != self._job:
            self._job, self._running, self._place = job, self.detector.begin(job), RunningPlace()
        return self._running


def _not_registered(image: LayerImage, reason: str) -> Judged:
    advice = "give the plans of this job, drawn on the frames' grid"
    return refused(Fault(image.job, image.layer, "plan not registered", reason, advice, image.name))
