"""Person in the chamber: an arm with its hand, at times a head with shoulders, reaches in from the border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Change, Image, PictureFault, sensor_noise
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval

_FINGERS = ((-0.40, 1.25), (-0.13, 1.45), (0.12, 1.50), (0.36, 1.35), (-1.0, 1.0))  # turn in rad, length in palms
_PALM = 0.9  # widths of the forearm, from the wrist to the fingers' roots


@dataclass(frozen=True)
class PersonInChamber(PictureFault):
    """Skin and clothes have temperatures of their own, smooth and without the sand's texture, and hide the bed."""

    summary: ClassVar[str] = "an arm or a body of 30 to 36 degC that reaches in from the border"
    source: ClassVar[str] = "own; skin of 33 to 36 degC, sleeves between skin and air"

    layers: Interval = Interval(1.0, 2.0)
    skin: Interval = Interval(33.0, 35.5)  # degC
    sleeve: Interval = Interval(30.0, 31.5)  # degC
    forearm: Interval = Interval(65.0, 85.0)  # mm, width as the camera above sees it
    reach: Interval = Interval(0.45, 0.75)  # of the frame's shorter side, to the wrist
    body: float = 0.4  # share of the jobs in which head and shoulders lean in, too

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        mm, short = machine.mm_per_px, min(machine.height, machine.width) * machine.mm_per_px
        width = float(np.clip(self.forearm.draw(rng), 4 * mm, 0.18 * short))
        skin, sleeve, leans = self.skin.draw(rng), self.sleeve.draw(rng), rng.random() < self.body
        side, along, slant = int(rng.integers(4)), rng.uniform(0.35, 0.65), rng.uniform(-0.4, 0.4)
        reach = self.reach.draw(rng) * short

        def change(heat: Image, age: int) -> Image:
            # The arm stretches and turns a little between two layers.
            turn, far = slant + 0.15 * rng.standard_normal(), reach * (1 + 0.08 * rng.standard_normal())
            canvas = _Canvas(_from_side(heat.shape, side, along, mm), np.array(heat), mm)
            if leans:
                canvas.limb((-0.6 * width, -3.4 * width), (-0.6 * width, 1.2 * width), 1.3 * width, sleeve)
                canvas.limb((0.9 * width, -1.2 * width), (1.1 * width, -1.2 * width), 1.0 * width, skin - 1.5)
            _arm(canvas, turn, far, width, (sleeve, skin))
            covered = canvas.heat != heat
            return np.asarray(canvas.heat + covered * sensor_noise(machine, heat.shape, rng), np.float32)

        return change


def _arm(canvas: _Canvas, turn: float, far: float, width: float, levels: tuple[float, float]) -> None:
    """Sleeve, forearm, palm and fingers, one after another from the border inward."""
    sleeve, skin = levels
    elbow = (0.45 * far * np.cos(turn - 0.25), 0.45 * far * np.sin(turn - 0.25))
    wrist = (elbow[0] + 0.55 * far * np.cos(turn + 0.2), elbow[1] + 0.55 * far * np.sin(turn + 0.2))
    cuff = (elbow[0] + 0.25 * (wrist[0] - elbow[0]), elbow[1] + 0.25 * (wrist[1] - elbow[1]))
    canvas.limb(elbow, wrist, 0.36 * width, skin)
    canvas.limb((-width, 0.0), elbow, 0.62 * width, sleeve)
    canvas.limb(elbow, cuff, 0.56 * width, sleeve)
    ahead = turn + 0.2
    for off, length in _FINGERS:
        tip = length * _PALM * width
        root = 0.3 * width
        canvas.limb(
            (wrist[0] + root * np.cos(ahead + off), wrist[1] + root * np.sin(ahead + off)),
            (wrist[0] + tip * np.cos(ahead + off), wrist[1] + tip * np.sin(ahead + off)),
            0.115 * width,
            skin - 1.0,
        )
    palm = (wrist[0] + 0.45 * width * np.cos(ahead), wrist[1] + 0.45 * width * np.sin(ahead))
    canvas.limb(wrist, palm, 0.4 * width, skin - 0.5)


@dataclass(eq=False)
class _Canvas:
    """A picture on which limbs are painted; places are (depth, along) in mm from where the arm comes in."""

    grid: tuple[Image, Image]
    heat: Image  # degC
    mm: float  # a pixel

    def limb(self, start: tuple[float, float], end: tuple[float, float], radius: float, level: float) -> None:
        """A rounded thing from start to end, 0.8 K warmer along its middle than at its rims."""
        (a, b), (p, q) = (np.asarray(point, np.float32) for point in (start, end)), self.grid
        way = b - a
        share = np.clip(((p - a[0]) * way[0] + (q - a[1]) * way[1]) / max(float(way @ way), 1e-6), 0, 1)
        outside = np.hypot(p - a[0] - share * way[0], q - a[1] - share * way[1]) - radius
        cover = np.clip(0.5 - outside / self.mm, 0, 1)
        round_level = level - 0.4 + 0.8 * np.clip(-outside / radius, 0, 1)
        self.heat = np.asarray(self.heat + cover * (round_level - self.heat), np.float32)


def _from_side(shape: tuple[int, ...], side: int, along: float, mm: float) -> tuple[Image, Image]:
    """Depth from one of the four borders, and place along it, of each pixel in mm."""
    rows, columns = (np.indices(shape, np.float32) + np.float32(0.5)) * np.float32(mm)
    high, wide = shape[0] * mm, shape[1] * mm
    depth, way, length = (
        (rows, columns, wide),
        (high - rows, columns, wide),
        (columns, rows, high),
        (wide - columns, rows, high),
    )[side]
    return np.asarray(depth, np.float32), np.asarray(way - along * length, np.float32)
