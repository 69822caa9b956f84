"""A fault of frames and a strength -> the same fault with weaker or stronger amounts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from layerwatch import catalogue
from layerwatch.job.faults.base import Fault
from layerwatch.job.ranges import Interval
from layerwatch.records import UsageError

STRENGTHS = {"weak": 0.5, "usual": 1.0, "strong": 1.5}  # times the usual distance from nothing


@dataclass(frozen=True)
class Amount:
    """A field of a fault that makes it weak or strong."""

    field: str
    nothing: float = 0.0  # the value at which it would not be seen
    least: float = -1e9
    most: float = 1e9


_AMOUNTS = {
    "bumped_camera": (Amount("shift"), Amount("turn")),
    "changed_gain": (Amount("gain", 1.0), Amount("offset")),
    "column_noise": (Amount("amount"),),
    "dead_pixels": (Amount("share"),),
    "defocus": (Amount("blur"),),
    "fouled_window": (Amount("radius"), Amount("passes", 1.0, least=0.02), Amount("scatter")),
    "late_or_early": (Amount("bar"), Amount("sand")),
    "open_door": (Amount("draught"), Amount("level")),
    "person_in_chamber": (Amount("forearm"), Amount("reach")),
    "power_pause": (Amount("border"),),
    "saturated": (Amount("share", most=0.97),),
    "truncated": (Amount("share", 1.0, least=0.01),),
    "under_range": (Amount("share", most=0.97),),
    "wrong_size": (Amount("window", 1.0, least=0.2),),
}


def strengths_of(name: str) -> tuple[str, ...]:
    """The strengths that a fault has: one, where nothing of it can be weaker."""
    return tuple(STRENGTHS) if name in _AMOUNTS else ("usual",)


def fault_of(name: str, strength: str = "usual") -> Fault:
    """The fault with all its amounts moved from nothing by the strength.

    Raises:
        UsageError: no such fault, or it does not have this strength.
    """
    fault: Fault = catalogue.load("job.faults", name)()
    if strength not in strengths_of(name):
        raise UsageError(f"{name} has no strength {strength!r}; there are: {', '.join(strengths_of(name))}")
    if STRENGTHS[strength] == 1:
        return fault
    moved = {a.field: _moved(getattr(fault, a.field), a, STRENGTHS[strength]) for a in _AMOUNTS.get(name, ())}
    return replace(fault, **moved)


def _moved(interval: Interval, amount: Amount, times: float) -> Interval:
    ends = [amount.nothing + times * (end - amount.nothing) for end in (interval.low, interval.high)]
    low, high = sorted(min(max(end, amount.least), amount.most) for end in ends)
    return replace(interval, low=low, high=high)
