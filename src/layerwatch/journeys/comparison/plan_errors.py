"""A layer image with its plan -> the same image with the plan moved or turned against it, as one that is off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from scipy import ndimage

from layerwatch.records import LayerImage


@dataclass(frozen=True)
class PlanError:
    """How far a plan is off; the direction is drawn for each job."""

    px: float = 0.0
    turn_deg: float = 0.0  # about the middle of the image

    @property
    def name(self) -> str:
        """In words; empty where there is none."""
        if not self.px and not self.turn_deg:
            return ""
        return f"plan off {self.px:g} px" if self.px else f"plan turned {self.turn_deg:g} deg"

    def applied(self, image: LayerImage, rng: np.random.Generator) -> LayerImage:
        """The image with its plan off.

        Args:
            image: with a plan.
            rng: fresh for every layer of a job, so that all layers are off alike.
        """
        if not self.name:
            return image
        at, sign = rng.uniform(0, 2 * np.pi), 1 if rng.random() < 0.5 else -1
        shift = self.px * np.array([np.sin(at), np.cos(at)])
        turn = np.deg2rad(sign * self.turn_deg)
        return replace(image, plan=_moved(image.plan, shift, turn, 0), coverage=_moved(image.coverage, shift, turn, 1))


def _moved(
    mask: UInt8[np.ndarray, "h w"] | None, shift: np.ndarray, turn: float, order: Literal[0, 1]
) -> UInt8[np.ndarray, "h w"] | None:
    """A mask moved by (rows, columns) px and turned about its middle; numbers of parts are not mixed with order 0."""
    if mask is None:
        return None
    back = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = (np.array(mask.shape) - 1) / 2
    offset = middle - back @ (middle + shift)
    moved = ndimage.affine_transform(mask.astype(np.float32), back, offset, order=order)
    return np.asarray(np.rint(np.clip(moved, 0, 255)), np.uint8)
