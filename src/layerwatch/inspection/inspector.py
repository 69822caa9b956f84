"""A folder's frames, a gate, a detector and a judge -> a verdict a frame, in every sink, before the next is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from layerwatch.detectors.base import Detector
from layerwatch.images.gating import Gate
from layerwatch.inspection.examiner import Examiner
from layerwatch.inspection.examiner import Judged as Judged  # comes with whoever yields it
from layerwatch.inspection.messages import verdict_message
from layerwatch.inspection.sinks.base import Sink
from layerwatch.records import Fault, LayerImage
from layerwatch.verdict.judge import Judge


@runtime_checkable
class FrameSource(Protocol):
    """Frames that are there already."""

    def frames(self) -> Iterator[LayerImage | Fault]:
        """Every frame once, in layer order; one that cannot be read comes as a Fault, never as nothing."""


@dataclass(frozen=True, eq=False)
class Inspector:
    """The loop over frames that are there already; for those that are still to come there is the service."""

    camera: FrameSource
    detector: Detector
    judge: Judge
    sinks: Sequence[Sink] = ()
    size: tuple[int, int] | None = None  # px, height and width that the detector was trained on; None: any
    gate: Gate | None = None  # that has learnt what it needs; None: every frame goes to the detector

    def run(self) -> Iterator[Judged]:
        """Every frame of the camera once, in its order; each verdict is with every sink before it is yielded.

        Verdicts on layers whose frames never came stand before that of the frame that showed it.
        """
        examiner = Examiner(self.detector, self.judge, self.size, self.gate)
        for frame in self.camera.frames():
            for judged in examiner.take(frame):
                for sink in self.sinks:
                    sink.take(verdict_message(judged.verdict))
                yield judged
