"""A frame in the spool and the plan of its layer -> the layer image that is judged, or the fault why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from jaxtyping import UInt8

from layerwatch.images.binning import binned
from layerwatch.images.folder import read_image
from layerwatch.images.outside import shared_child
from layerwatch.images.scales import scaled
from layerwatch.inspection.journal.entries import Frame
from layerwatch.inspection.spool import Spool
from layerwatch.records import DataError, Fault, LayerImage

_SEND_AGAIN = "the layer is not judged; look at what sends the frames"
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
            kind = "unusable plan"
            return binned(self._with_plan(image, frame), self.binning)
        except DataError as error:
            return Fault(one.job, one.layer, kind, str(error), _SEND_AGAIN, name)

    def _with_plan(self, image: LayerImage, frame: Frame) -> LayerImage:
        planned = self.plans(image.job, image.layer)
        exposed = image.time if frame.exposed is None else datetime.fromtimestamp(frame.exposed, UTC)
        known = replace(image, mm_per_px=self.mm_per_px, time=exposed)
        if planned is None:
            return known
        if planned.plan.shape != image.pixels.shape:
            a, b = ("{1} x {0}".format(*shape) for shape in (planned.plan.shape, image.pixels.shape))
            raise DataError(f"the plan has {a} pixels, the frame {b}; draw it in the frame's grid")
        return replace(known, plan=planned.plan, coverage=planned.coverage)
