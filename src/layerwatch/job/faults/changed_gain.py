"""Changed gain: the same heat in other greys, since gain, span or automatic contrast was touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from layerwatch.job.faults.base import Change, Image, PictureFault
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval


@dataclass(frozen=True)
class ChangedGain(PictureFault):
    """Grey no longer means the agreed temperature; shapes and noise are all there, stretched or squeezed."""

    summary: ClassVar[str] = "grey means another temperature: gain, span or automatic contrast"
    source: ClassVar[str] = "own; automatic gain control that was switched on, another span chosen"

    layers: Interval = Interval(1.0, 30.0)
    gain: Interval = Interval(1.2, 1.8)  # or one over it
    offset: Interval = Interval(-0.2, 0.2)  # of the span, together with the gain
    automatic: float = 0.34  # share of the jobs in which each frame is stretched to its own darkest and brightest grey

    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """See PictureFault."""
        (low, high), automatic = machine.span, rng.random() < self.automatic
        gain, offset = self.gain.draw(rng) ** rng.choice([-1.0, 1.0]), self.offset.draw(rng)

        def change(heat: Image, age: int) -> Image:
            if automatic:
                least, most = np.quantile(heat, (0.005, 0.995))
                grey = (heat - least) / max(most - least, 1e-6)
            else:
                middle = float(np.median(heat - low)) / (high - low)
                grey = ((heat - low) / (high - low) - middle) * gain + middle + offset
            return np.asarray(low + grey * (high - low), np.float32)

        return change
