"""A camera, a gate, a detector and a judge -> a verdict for each frame, in every sink, before the next is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from layerwatch.detectors.base import Detector, RunningJob, check_plans
from layerwatch.images.arrivals import shot_of, unread
from layerwatch.images.gating import Answer, Gate
from layerwatch.images.job_place import RunningPlace
from layerwatch.inspection.cameras.base import Camera
from layerwatch.inspection.sinks.base import Sink
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


@dataclass(eq=False)
class _Following:
    """The job that the detector follows; another one is followed anew."""

    job: str = ""
    running: RunningJob | None = None
    place: RunningPlace = field(default_factory=RunningPlace)

    def of(self, detector: Detector, job: str) -> RunningJob:
        """The running job of that name."""
        if self.running is None or job != self.job:
            self.job, self.running, self.place = job, detector.begin(job), RunningPlace()
        return self.running


@dataclass(frozen=True, eq=False)
class Inspector:
    """The one loop. A frame is judged, or recorded as a fault with its reason; it is never lost.

    Where there is a gate, it sees each frame first, and the detector none in which it finds a fault.
    """

    camera: Camera
    detector: Detector
    judge: Judge
    sinks: Sequence[Sink] = ()
    size: tuple[int, int] | None = None  # px, height and width that the detector was trained on; None: any
    gate: Gate | None = None  # that has learnt what it needs; None: every frame goes to the detector

    def run(self) -> Iterator[Judged]:
        """Every frame of the camera once, in its order; each verdict is with every sink before it is yielded.

        Verdicts on layers whose frames never came stand before that of the frame that showed it.
        """
        is_first, following = True, _Following()
        for frame in self.camera.frames():
            if is_first and self.gate is not None:
                self.gate.begin(frame.job)
            is_first = False
            for judged in self._all_of(frame, following):
                for sink in self.sinks:
                    sink.take(judged.verdict)
                yield judged

    def _all_of(self, frame: LayerImage | Fault, following: _Following) -> Iterator[Judged]:
        """What is said of other layers when a frame comes, and of the frame itself."""
        answer = self._gated(frame)
        if answer is not None:
            yield from (Judged(not_judged(fault)) for fault in answer.others)
        if isinstance(frame, Fault):
            yield Judged(not_judged(frame))
        elif answer is not None and answer.fault is not None:
            yield Judged(not_judged(answer.fault, frame.name))
        else:
            yield self._judged(frame, following)

    def _gated(self, frame: LayerImage | Fault) -> Answer | None:
        if self.gate is None or self.gate.known_ is None or frame.layer < 0:
            return None  # the gate keeps count of layers, and this frame's is not known
        if isinstance(frame, Fault):
            return self.gate.judge(unread(frame.job, frame.layer))
        return self.gate.judge(shot_of(frame, self.gate.known_), frame.plan)

    def _judged(self, image: LayerImage, following: _Following) -> Judged:
        if self.size is not None and image.pixels.shape != self.size:
            a, b = ("{1} x {0}".format(*size) for size in (image.pixels.shape, self.size))
            evidence, advice = f"{image.name} is {a} pixels, the model was trained on {b}", "give frames of that size"
            return Judged(not_judged(Fault(image.job, image.layer, "wrong size", evidence, advice, image.name)))
        running = following.of(self.detector, image.job)
        try:
            if "plan" in self.detector.needs:
                check_plans([image])
                image = following.place.take(image)
                if following.place.place.reason:
                    return _not_registered(image, following.place.place.reason)
            reading = running.update(image)
        except DataError as error:
            kind, advice = "not readable for the detector", "the layer is not judged"
            return Judged(not_judged(Fault(image.job, image.layer, kind, str(error), advice, image.name)))
        if reading.score != reading.score:
            advice = "train the detector again"
            return Judged(not_judged(Fault(image.job, image.layer, "no score", "the score is NaN", advice, image.name)))
        return Judged(self.judge.verdict(reading, image), image, reading)


def _not_registered(image: LayerImage, reason: str) -> Judged:
    advice = "give the plans of this job, drawn on the frames' grid"
    return Judged(not_judged(Fault(image.job, image.layer, "plan not registered", reason, advice, image.name)))
