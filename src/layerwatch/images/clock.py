"""Layer numbers and time stamps of one job -> by how many layer times each frame is early or late."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

_SAME = 0.1  # layer times, within which a stamp belongs to a phase
_JUMP = 0.5  # layer times, from which on a clock may have been set
_DRIFTS = 0.02  # layer times, by which a frame is believed to be off at most; one mistimed frame must not move it
_FORGETS = 0.2  # of the phase with each frame


@dataclass(frozen=True)
class Clock:
    """Where in the machine's cycle the camera exposes; ``other`` is where it would be if the last jump were to stay."""

    layer_time: float  # s
    phase: float | None = None  # s, the time of layer 0
    other: float | None = None

    def off(self, layer: int, time: float) -> float:
        """Layer times by which a frame is late (early if negative); 0 for the first, and where the time is NaN."""
        return min(self._away(layer, time), key=abs, default=0.0)

    def after(self, layer: int, time: float) -> Clock:
        """The clock once a frame has come, whatever was wrong with its picture."""
        if math.isnan(time):
            return self
        zero = time - layer * self.layer_time
        away = self._away(layer, time)
        if not away:
            return replace(self, phase=zero)
        off = min(away, key=abs)
        if abs(off) > _SAME:
            return replace(self, other=zero) if abs(off) > _JUMP else self
        kept = self.phase if off == away[0] else self.other
        kept, most = kept or 0.0, _DRIFTS * self.layer_time
        return replace(self, phase=kept + _FORGETS * min(max(zero - kept, -most), most), other=None)

    def _away(self, layer: int, time: float) -> list[float]:
        known = [phase for phase in (self.phase, self.other) if phase is not None and not math.isnan(time)]
        return [(time - layer * self.layer_time - phase) / self.layer_time for phase in known]
