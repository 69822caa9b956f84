"""The layers of a job with their plans -> where its prints lie against them, and each plan laid there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float64
from scipy import ndimage

from layerwatch.images.first_place import Reach
from layerwatch.images.placement import Similarity
from layerwatch.images.regions import split_levels
from layerwatch.images.registration import Registration, register
from layerwatch.records import LayerImage

LOOKED_AT = 5  # layers of a job that are registered
_MOVED = 0.25  # px at the frame's quarter points, from which a plan is laid elsewhere
_CLEAR = 3.0  # standard errors, the same
_FAR_PX, _FAR_MM = 8.0, 3.0  # the less of both, but never less than _NEAR_PX, is as far as a plan may lie
_NEAR_PX = 4.0
_SEEN = 0.4  # share of the planned outline that must be seen where it was found


@dataclass(frozen=True, eq=False)
class JobPlace:
    """Where the prints of a job lie; ``reason`` is not empty where their plans cannot be theirs."""

    place: Similarity | None = None  # px; None: where the plans have them
    note: str = ""  # what was done, for a person
    reason: str = ""

    def lay(self, image: LayerImage) -> LayerImage:
        """The layer with its plan where its print lies."""
        if self.place is None or image.plan is None:
            return image
        rows, columns = np.indices(image.plan.shape)
        at = self.place.planned(np.stack([columns + 0.5, rows + 0.5], -1)) - 0.5
        where = np.stack([at[..., 1], at[..., 0]])
        share = image.coverage if image.coverage is not None else np.uint8(255) * (image.plan > 0)
        moved = ndimage.map_coordinates(share.astype(np.float32), where, order=1, mode="nearest")
        plan = ndimage.map_coordinates(image.plan, where, order=0, mode="nearest")
        return replace(image, plan=plan, coverage=np.rint(moved).astype(np.uint8))


@dataclass(eq=False)
class RunningPlace:
    """The same while a job runs: the layers so far tell, and from ``LOOKED_AT`` on the place is settled."""

    is_scaled: bool = True
    place: JobPlace = field(default_factory=JobPlace)
    _seen: list[tuple[LayerImage, Registration]] = field(default_factory=list)

    def take(self, image: LayerImage) -> LayerImage:
        """The next layer with its plan where its print lies; as it is where ``place`` holds a reason."""
        if image.plan is None:
            return image
        if len(self._seen) < LOOKED_AT and image.plan.any() and not image.plan.all():
            self._seen.append((image, _registered(image)))
            self.place = _place(self._seen, is_scaled=self.is_scaled)
        return self.place.lay(image)


def place_of_job(images: Sequence[LayerImage], *, is_scaled: bool) -> JobPlace:
    """Register the first layers and take the middle of what they say.

    Args:
        images: a few layers with plans.
        is_scaled: the size of a pixel is known.
    """
    return _place([(image, _registered(image)) for image in images], is_scaled=is_scaled)


def _place(seen: Sequence[tuple[LayerImage, Registration]], *, is_scaled: bool) -> JobPlace:
    if not seen:
        return JobPlace()
    images, answers = zip(*seen, strict=True)
    placed = [one for one in answers if one.placed is not None and one.placed.shape.seen >= _SEEN]
    misfits = [_misfit(one, image) for one, image in zip(answers, images, strict=True)]
    if 2 * len(placed) >= len(images):
        return _middle(placed, images[0], is_scaled=is_scaled)
    told = [text for text in misfits if text]
    if 2 * len(told) > len(images):
        return JobPlace(reason=told[0])
    return JobPlace(note=f"plans are taken as they are, the first frames do not tell their place ({_why(answers)})")


def _registered(image: LayerImage) -> Registration:
    share = np.asarray(image.plan) > 0 if image.coverage is None else image.coverage / np.float32(255)
    reach = Reach(max(16.0, 0.05 * max(image.pixels.shape)))
    return register(image.pixels, share.astype(np.float32), 1.0, reach)


def _misfit(answer: Registration, image: LayerImage) -> str:
    """Why the frame shows a print, and not this plan's; empty where that cannot be said."""
    if answer.placed is not None:
        seen = answer.placed.shape.seen
        return f"only {seen:.0%} of the planned outline is seen" if seen < _SEEN else ""
    if answer.reason.startswith("no outline like"):
        return answer.reason
    filled = np.where(np.isfinite(image.pixels), image.pixels, np.nanmedian(image.pixels)).astype(np.float32)
    is_other = answer.reason.startswith("no contrast") and split_levels(filled) is not None
    return "the frame shows two clear levels, and none of their outlines is the plan's" if is_other else ""


def _why(answers: Sequence[Registration]) -> str:
    return next((one.reason for one in answers if one.reason), "too little of the outline is seen")


def _middle(answers: Sequence[Registration], image: LayerImage, *, is_scaled: bool) -> JobPlace:
    """The median over the layers, as a move about the frame's middle; none where it is small or not told."""
    h, w = image.pixels.shape
    middle = np.array([w / 2, h / 2])
    found = [(one.place, one.placed) for one in answers if one.place is not None and one.placed is not None]
    shifts = [place.seen(middle) - middle for place, _ in found]
    angles = [_told(place.angle, np.radians(placed.rotation_sigma_deg)) for place, placed in found]
    scales = [_told(place.scale - 1, placed.scale_sigma) for place, placed in found]
    sigmas = [max(placed.shift_sigma_mm) for _, placed in found]
    shift = _rounded(np.median(shifts, axis=0))
    place = Similarity((w / 2, h / 2), _pair(shift), float(np.median(angles)), 1 + float(np.median(scales)))
    quarters = np.array([[x * w, y * h] for x in (0.25, 0.75) for y in (0.25, 0.75)])
    moved = float(np.hypot(*(place.seen(quarters) - quarters).T).max())
    distance, unit = float(np.hypot(*shift)), "mm" if is_scaled else "px"
    far = min(_FAR_PX, max(_FAR_MM / image.mm_per_px, _NEAR_PX)) if is_scaled else _FAR_PX
    words = f"{distance * image.mm_per_px:.2g} {unit}"
    if distance > far:
        return JobPlace(reason=f"the print lies {words} beside its plan, more than {far * image.mm_per_px:.2g} {unit}")
    if moved < max(_MOVED, _CLEAR * float(np.median(sigmas))):
        return JobPlace()
    turned = f", turned by {np.degrees(place.angle):.2g} degrees" if place.angle else ""
    return JobPlace(place, f"the plans lie {words} beside the prints{turned}; they were laid onto them")


def _rounded(shift: Float64[np.ndarray, " 2"]) -> Float64[np.ndarray, " 2"]:
    """Whole pixels where that is as near as a plan needs to be: it stays as sharp as it was."""
    whole = np.rint(shift)
    return whole if float(np.hypot(*(shift - whole))) < _MOVED else shift


def _told(value: float, sigma: float) -> float:
    """A rotation or scale that the outlines tell clearly, else 0."""
    return value if sigma > 0 and abs(value) > _CLEAR * sigma else 0.0


def _pair(two: Float64[np.ndarray, " 2"]) -> tuple[float, float]:
    return float(two[0]), float(two[1])
