"""A camera, a detector and a judge -> one verdict for every frame, in every sink, before the next frame is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerwatch.detectors.base import Detector
from layerwatch.inspection.cameras.base import Camera
from layerwatch.inspection.sinks.base import Sink
from layerwatch.records import DataError, Fault, LayerImage, Reading, Verdict
from layerwatch.verdict.judge import Judge, not_judged


@dataclass(frozen=True, eq=False)
class Judged:
    """One frame with all that was said about it; image and reading are None where the frame could not be judged."""

    verdict: Verdict
    image: LayerImage | None = None
    reading: Reading | None = None


@dataclass(frozen=True, eq=False)
class Inspector:
    """The one loop. A frame is judged, or recorded as a fault with its reason; it is never lost."""

    camera: Camera
    detector: Detector
    judge: Judge
    sinks: Sequence[Sink] = ()
    size: tuple[int, int] | None = None  # px, height and width that the detector was trained on; None: any

    def run(self) -> Iterator[Judged]:
        """Every frame of the camera once, in its order; each verdict is with every sink before it is yielded."""
        for frame in self.camera.frames():
            judged = Judged(not_judged(frame)) if isinstance(frame, Fault) else self._judged(frame)
            for sink in self.sinks:
                sink.take(judged.verdict)
            yield judged

    def _judged(self, image: LayerImage) -> Judged:
        if self.size is not None and image.pixels.shape != self.size:
            a, b = ("{1} x {0}".format(*size) for size in (image.pixels.shape, self.size))
            evidence, advice = f"{image.name} is {a} pixels, the model was trained on {b}", "give frames of that size"
            return Judged(not_judged(Fault(image.job, image.layer, "wrong size", evidence, advice)))
        try:
            (reading,) = self.detector.read([image])
        except DataError as error:
            advice = "the layer is not judged"
            return Judged(
                not_judged(Fault(image.job, image.layer, "not readable for the detector", str(error), advice))
            )
        if reading.score != reading.score:
            advice = "train the detector again"
            return Judged(not_judged(Fault(image.job, image.layer, "no score", "the score is NaN", advice)))
        return Judged(self.judge.verdict(reading, image), image, reading)
