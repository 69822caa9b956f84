"""Bumped camera: the whole view, the bed's border with it, has moved and turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import ndimage

from layerwatch.job.faults.base import Change, Image, PictureFault, sensor_noise
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval

_ALREADY = 2.0  # K colder than the bed: the border shows the machine's frame


@dataclass(frozen=True)
class BumpedCamera(PictureFault):
    """Somebody knocked against the mount; beside the bed the machine's frame comes into view, colder and plain."""

    summary: ClassVar[str] = "the view is shifted and turned, the bed's border too"
    source: ClassVar[str] = "own; a knock against the camera's mount"

    layers: Interval = Interval(2.0, 30.0)
    shift: Interval = Interval(0.03, 0.12)  # of the frame, along rows and columns each
    turn: Interval = Interval(0.5, 6.0)  # degrees
    frame: Interval = Interval(6.0, 12.0)  # K, by which the machine's frame is colder than the bed

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        signs = rng.choice([-1.0, 1.0], 3)
        turn = np.radians(self.turn.draw(rng)) * signs[0]
        shift = np.array([self.shift.draw(rng) * machine.height, self.shift.draw(rng) * machine.width]) * signs[1:]
        matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        middle = np.array([machine.height - 1, machine.width - 1]) / 2
        offset, colder = middle - matrix @ (middle + shift), self.frame.draw(rng)

        def change(heat: Image, age: int) -> Image:
            steel = _machine_frame(heat, colder)
            seen = ndimage.affine_transform(heat - steel, matrix, offset, order=1, mode="constant", cval=0.0) + steel
            inside = ndimage.affine_transform(np.ones_like(heat), matrix, offset, order=1, mode="constant", cval=0.0)
            return np.asarray(seen + (1 - inside) * sensor_noise(machine, heat.shape, rng), np.float32)

        return change


def _machine_frame(heat: Image, colder: float) -> float:
    """Temperature in degC of the machine's frame: that of the picture's border where it shows it already."""
    border = float(np.median(np.concatenate([heat[0], heat[-1], heat[:, 0], heat[:, -1]])))
    bed = float(np.median(heat))
    return border if border < bed - _ALREADY else bed - colder
