"""What may differ between jobs -> ten groups of healthy ones unlike those that set the line.

The promise is of false-alarm jobs like those of the calibration; these groups tell how far it carries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from layerwatch.job.machine import Machine


@dataclass(frozen=True)
class Shift:
    """What differs in one group of healthy jobs."""

    name: str
    learnt_parts: bool = False  # printed of the parts that were learnt from
    variability: float = 1.0  # of all that is drawn, as a multiple of the preset's
    noise: float = 1.0  # of the camera, the same
    layer_time: float = 1.0  # the same

    def machine(self, usual: Machine) -> Machine:
        """The printer of these jobs."""
        return replace(usual, noise=self.noise * usual.noise, layer_time=self.layer_time * usual.layer_time)


SHIFTS = (
    Shift("parts learnt from", learnt_parts=True),
    Shift("parts never seen"),
    Shift("variability x 0.5", variability=0.5),
    Shift("variability x 1.5", variability=1.5),
    Shift("variability x 2", variability=2.0),
    Shift("noise x 0.5", noise=0.5),
    Shift("noise x 2", noise=2.0),
    Shift("layer time x 0.7", layer_time=0.7),
    Shift("layer time x 1.5", layer_time=1.5),
    Shift("variability, noise, layer time x 1.3", variability=1.3, noise=1.3, layer_time=1.3),
)
