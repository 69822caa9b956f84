"""A frame in the spool and the plan of its layer -> the layer image that is judged, or the fault why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from jaxtyping import UInt8

from layerwatch.images.binning import binned
from layerwatch.images.decoding.pillow import COLOURS
from layerwatch.images.folder import read_image
from layerwatch.images.outside import shared_child
from layerwatch.images.scales import scaled
from layerwatch.inspection.journal.entries import Frame
from layerwatch.inspection.spool import Spool
from layerwatch.records import DataError, Fault, LayerImage

_SEND_AGAIN = "the layer is not judged; look at what sends the frames"
_AS_BEFORE = "set the camera's window and binning as they were, or draw the plans in the frame's grid"
_GREY = "set the camera to grey, and look at what it sees"
_UNIDENTIFIED = "give each frame its job and layer, in its name, a sidecar or the message"


@dataclass(frozen=True, eq=False)
class Planned:
    """The plan of one layer, on the frames' grid."""

    plan: UInt8[np.ndarray, "h w"]  # 0 is bed, 1.. which copy
    coverage: UInt8[np.ndarray, "h w"] | None = None  # 255 times the share of each pixel inside the outline


PlanOf = Callable[[str, int], Planned | None]  # job and layer; None: there is none


def no_plans(job: str, layer: int) -> Planned | None:
    """The PlanOf of a printer whose plans are not known."""
    return None


@dataclass(frozen=True, eq=False)
class FrameReader:
    """How the frames of one printer are read."""

    spool: Spool
    plans: PlanOf = no_plans
    mm_per_px: float = 1.0
    span: tuple[float, float] | None = None  # degC at grey 0 and 1
    scale: str | None = None  # what a thermal camera's counts mean
    binning: int = 1  # pixels of the camera a side of one that is judged; mm_per_px is the camera's
    size: tuple[int, int] | None = None  # px, height and width that the model was trained on; None: any

    @property
    def judged_mm_per_px(self) -> float:
        """Size of a pixel that is judged."""
        return self.binning * self.mm_per_px

    def read(self, frame: Frame) -> LayerImage | Fault:
        """The layer image with its plan."""
        one, name = frame.identity, frame.name
        if one.layer < 0:
            return Fault(one.job, one.layer, "unidentified", frame.note or name, _UNIDENTIFIED, name)
        kind = "unreadable frame"
        try:
            read = scaled(shared_child().read, self.scale)  # from outside, so in a process of its own
            path = self.spool.path(frame.path)
            image = read_image(path, job=one.job, layer=one.layer, name=name, span=self.span, read=read)
            if image.pixels.min() == image.pixels.max() and COLOURS in shared_child().read(path, name, 0)[0].tags:
                text = f"{name} is a colour picture, every pixel the same; grey frames are wanted"
                return Fault(one.job, one.layer, "colour image", text, _GREY, name)
            kind = "unusable plan"
            planned = self.plans(one.job, one.layer)
            if planned is not None and planned.plan.shape != image.pixels.shape:
                return self._misfit(image, planned)
            return binned(self._with_plan(image, frame, planned), self.binning)
        except DataError as error:
            return Fault(one.job, one.layer, kind, str(error), _SEND_AGAIN, name)

    def _misfit(self, image: LayerImage, planned: Planned) -> Fault:
        """The frame or its plan has another size than the other one, and perhaps than the model wants."""
        frame, plan = image.pixels.shape, planned.plan.shape
        wanted = None if self.size is None else (self.binning * self.size[0], self.binning * self.size[1])
        fits = self.size is not None and tuple(n // self.binning for n in frame) == self.size
        told = f"the frame is {_px(frame)} pixels, the plan {_px(plan)}"
        if fits:
            text, advice = f"{told}, and the model wants such frames", "draw the plan in the frame's grid"
            return Fault(image.job, image.layer, "unusable plan", text, advice, image.name)
        text = told if wanted is None else f"{told}, and the model wants frames of {_px(wanted)}"
        return Fault(image.job, image.layer, "wrong size", text, _AS_BEFORE, image.name)

    def _with_plan(self, image: LayerImage, frame: Frame, planned: Planned | None) -> LayerImage:
        exposed = image.time if frame.exposed is None else datetime.fromtimestamp(frame.exposed, UTC)
        known = replace(image, mm_per_px=self.mm_per_px, time=exposed)
        if planned is None:
            return known
        return replace(known, plan=planned.plan, coverage=planned.coverage)


def _px(shape: tuple[int, ...]) -> str:
    return "{1} x {0}".format(*shape)
