"""Wrong size: frames of another number of pixels, binned or cut to a window of the sensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import UInt16

from layerwatch.job.faults.base import Arrival, Fault, frame_of, healthy, heat_of
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval
from layerwatch.records import Shot


@dataclass(frozen=True)
class WrongSize(Fault):
    """After a restart the camera runs in another mode: half the pixels each way, or a window of them."""

    summary: ClassVar[str] = "frames of another size: binned 2 x 2, or a window of the sensor"
    source: ClassVar[str] = "own; a camera that lost its settings"

    layers: Interval = Interval(1.0, 30.0)
    window: Interval = Interval(0.5, 0.9)  # of width and height
    binned: float = 0.5  # share of the jobs in which pixels are binned

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        run, binned, share = self.run(shots, rng), rng.random() < self.binned, self.window.draw(rng)
        for number, shot in enumerate(shots):
            if number in run:
                frame = _halved(shot.frame, machine) if binned else _windowed(shot.frame, share)
                yield self.marked(replace(shot, frame=frame))
            else:
                yield healthy(shot)


def _halved(frame: UInt16[np.ndarray, "h w"], machine: Machine) -> UInt16[np.ndarray, "_ _"]:
    """Means of 2 x 2 pixels."""
    h, w = (side // 2 for side in frame.shape)
    heat = heat_of(frame[: 2 * h, : 2 * w], machine)
    return frame_of(np.asarray(heat.reshape(h, 2, w, 2).mean((1, 3)), np.float32), machine)


def _windowed(frame: UInt16[np.ndarray, "h w"], share: float) -> UInt16[np.ndarray, "_ _"]:
    """The middle of the frame."""
    h, w = (max(round(share * side), 8) for side in frame.shape)
    top, left = (frame.shape[0] - h) // 2, (frame.shape[1] - w) // 2
    return frame[top : top + h, left : left + w].copy()
