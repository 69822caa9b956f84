"""A healthy layer of the user's own -> the same layer with a defect of a wanted amount laid into its frame.

Nothing is assumed of the printer: levels are added as the frame has them, and a shift moves what the frame shows near
the outlines. What stays in later layers' heat is not imitated, so real defects of that amount are found rather sooner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float32
from scipy import ndimage

from layerwatch.records import LayerImage

Image = Float32[np.ndarray, "h w"]
_SOFT = 0.6  # px, blur of what is added
_AROUND = 3.0  # px round the part, that move with it
_BESIDE = 8.0  # px round the part, in which spots lie


@dataclass(frozen=True)
class Kind:
    """A kind of defect."""

    name: str
    size: float  # px: diameter or width; 0 where it has none
    unit: Literal["level", "px"]  # of its amount
    most: float  # amount; more would be another thing
    lay: Callable[[LayerImage, LayerImage, float, np.random.Generator, Kind], Image]


def spoiled(image: LayerImage, first: LayerImage, kind: Kind, amount: float, seed: tuple[int, ...]) -> LayerImage:
    """The layer with the defect; the same first layer and seed put it at the same place with the same sign.

    Args:
        image: healthy, with its plan.
        first: the layer of the defect's onset.
        kind: one of ``kinds``.
        amount: share of the grey range, or px.
        seed: of place and sign.
    """
    pixels = kind.lay(image, first, amount, np.random.default_rng(seed), kind)
    return replace(image, pixels=np.asarray(pixels, np.float32))


def kinds(head: Literal["x", "y"]) -> tuple[Kind, ...]:
    """All kinds, for a head that travels along that image axis."""
    across: Literal["x", "y"] = "y" if head == "x" else "x"
    return (
        Kind("small spot", 3.0, "level", 1.0, _spot),
        Kind("large spot", 10.0, "level", 1.0, _spot),
        Kind("line along the head's travel", 2.0, "level", 1.0, _Line(head)),
        Kind("line along the recoater's travel", 2.0, "level", 1.0, _Line(across)),
        Kind("level of one part", 0.0, "level", 1.0, _level),
        Kind("shift of the print", 0.0, "px", 4.0, _shift),
    )


def _spot(image: LayerImage, first: LayerImage, amount: float, rng: np.random.Generator, kind: Kind) -> Image:
    part = np.asarray(first.plan) > 0
    near = np.argwhere(ndimage.distance_transform_edt(~part) <= _BESIDE)
    row, column = near[rng.integers(len(near))] + rng.uniform(-0.5, 0.5, 2)
    rows, columns = np.indices(part.shape)
    disc = np.clip(kind.size / 2 - np.hypot(rows - row, columns - column) + 0.5, 0, 1)
    return _added(image, _signed(amount, rng) * disc)


@dataclass(frozen=True)
class _Line:
    along: Literal["x", "y"]

    def __call__(
        self, image: LayerImage, first: LayerImage, amount: float, rng: np.random.Generator, kind: Kind
    ) -> Image:
        inside = np.argwhere(np.asarray(first.plan) > 0)
        row, column = inside[rng.integers(len(inside))]
        rows, columns = np.indices(image.pixels.shape)
        distance = rows - row if self.along == "x" else columns - column
        return _added(image, _signed(amount, rng) * np.clip(kind.size / 2 - np.abs(distance) + 0.5, 0, 1))


def _level(image: LayerImage, first: LayerImage, amount: float, rng: np.random.Generator, kind: Kind) -> Image:
    plan = np.asarray(first.plan)
    numbers = np.unique(plan[plan > 0])
    return _added(image, _signed(amount, rng) * (np.asarray(image.plan) == numbers[rng.integers(len(numbers))]))


def _shift(image: LayerImage, first: LayerImage, amount: float, rng: np.random.Generator, kind: Kind) -> Image:
    angle = rng.choice([0, 90, 180, 270])
    way = amount * np.round([np.sin(np.radians(angle)), np.cos(np.radians(angle))])
    known = np.isfinite(image.pixels)
    frame = np.where(known, image.pixels, np.median(image.pixels[known])).astype(np.float32)
    moved = ndimage.shift(frame, way, order=3, mode="nearest")
    far = ndimage.distance_transform_edt(np.asarray(image.plan) == 0)
    weight = np.clip((_AROUND + amount + 2 - far) / 2, 0, 1)
    return np.asarray(np.where(known, weight * moved + (1 - weight) * frame, np.nan), np.float32)


def _signed(amount: float, rng: np.random.Generator) -> float:
    return amount if rng.random() < 0.5 else -amount


def _added(image: LayerImage, shape: np.ndarray) -> Image:
    return np.asarray(image.pixels + ndimage.gaussian_filter(shape, _SOFT, mode="nearest"), np.float32)
