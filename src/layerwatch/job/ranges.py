"""Names of physical quantities -> intervals from which each job and each layer is drawn, in K, mm, px and shares.

One renderer, two presets. Every quantity is drawn once a job, and again on each layer within a share of its interval
around the job's value (section 4.2 of the paper: "per layer as well as per job").
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A uniform interval; ``layer`` is the share of it within which each layer is drawn anew around the job's value."""

    low: float
    high: float
    layer: float = 0.0

    @property
    def reach(self) -> float:
        """How far a layer may lie from its job's value."""
        return self.layer * (self.high - self.low) / 2

    @property
    def spread(self) -> float:
        """Standard deviation of a layer's draws around the job's value."""
        return float(self.reach / np.sqrt(3))

    def draw(self, rng: np.random.Generator) -> float:
        """One job's value; no layer of it can leave the interval."""
        return float(rng.uniform(self.low + self.reach, self.high - self.reach))

    def widened(self, factor: float, limits: tuple[float, float]) -> Interval:
        """Times ``factor`` wide about the same middle, cut at the limits."""
        more = (factor - 1) * (self.high - self.low) / 2
        return Interval(max(self.low - more, limits[0]), min(self.high + more, limits[1]), self.layer)


_NONE = Interval(0.0, 0.0)
_ONE = Interval(1.0, 1.0)


@dataclass(frozen=True)
class Ranges:
    """Domain randomisation: what differs from job to job, and from layer to layer.

    A fresh layer has the temperature ``lamp - sand`` on the bed and ``binder`` less on the part; ``memory`` says how
    earlier layers shine through. Under ``decay`` these are degC; under ``conduction`` they are K a layer, of which
    earlier ones remain, and ``chamber`` is added.
    """

    memory: str  # "decay": one factor a layer (the paper's); "conduction": three leaky integrators
    lamp: Interval
    binder: Interval  # K, absolute
    sand: Interval = _NONE  # K, cooling by the fresh sand
    hot_part: float = 0.0  # share of jobs in which the part is the warmer one
    uneven: Interval = Interval(0.005, 0.02)  # standard deviation of the lamp's field, as a share of ``lamp``
    swaths: Interval = _NONE  # standard deviation of the binder from swath to swath, as a share
    bed_texture: Interval = Interval(0.20, 0.40, 0.1)  # K, standard deviation
    part_texture: Interval = Interval(0.20, 0.40, 0.1)  # K
    texture_length: Interval = Interval(8.0, 20.0, 0.1)  # mm, correlation length of the textures across the recoater
    anisotropy: Interval = Interval(1.0, 2.5, 0.1)  # times that length along the recoater
    texture_memory: Interval = Interval(0.3, 0.7, 0.1)  # correlation of the textures from layer to layer
    decay: Interval = _NONE  # share of the layer before in the next, under ``decay``
    creep: Interval = _NONE  # mm, lateral spread of heat in a layer time, under ``conduction``
    chamber: Interval = _NONE  # degC
    pauses: float = 0.0  # share of jobs with a pause
    pause: Interval = Interval(5.0, 40.0)  # layer times that it lasts
    emissivity: Interval = _ONE  # of the bed
    emissivity_step: Interval = _NONE  # of the part, on top
    reflected: Interval = _NONE  # degC of what the surface mirrors
    frame: Interval = Interval(24.0, 34.0)  # degC of the machine's frame around the sand
    blur: Interval = Interval(0.5, 0.9, 0.1)  # px, optics
    vignetting: Interval = _NONE  # share that the corners lose
    fixed_pattern: Interval = _NONE  # K, standard deviation
    drift: Interval = _NONE  # K, standard deviation of the camera's offset over a job
    place: Interval = Interval(-25.0, 25.0, 0.017)  # mm, each of x and y, of the whole layout
    lamp_length: Interval = Interval(150.0, 150.0)  # mm, correlation length of the lamp's field

    def widened(self, factor: float) -> Ranges:
        """Variability as one knob: every interval times ``factor`` wide (1: as it is, 0: all jobs alike)."""
        changed = {
            f.name: value.widened(factor, _limits(f.name, value))
            for f in fields(self)
            if isinstance(value := getattr(self, f.name), Interval)
        }
        return replace(self, **changed)  # type: ignore[arg-type] # names and values are its own


def paper() -> Ranges:
    """Section 4.2 of the paper: textures for bed and part, one decay from layer to layer, blur, the part darker."""
    return Ranges(
        memory="decay",
        lamp=Interval(34.0, 44.0, 0.06),
        binder=Interval(3.4, 5.1, 0.2),
        decay=Interval(0.15, 0.40, 0.1),
    )


def physical() -> Ranges:
    """Heat of lamp, sand and binder that stays in the bed for long, and a camera with its own errors."""
    return Ranges(
        memory="conduction",
        lamp=Interval(3.8, 4.6, 0.12),
        sand=Interval(1.8, 2.4, 0.12),
        binder=Interval(0.70, 1.05, 0.1),
        hot_part=0.1,
        swaths=Interval(0.02, 0.05),
        texture_memory=Interval(0.3, 0.7, 0.05),
        creep=Interval(2.0, 3.0, 0.1),
        chamber=Interval(22.0, 30.0, 0.005),
        pauses=0.2,
        emissivity=Interval(0.90, 0.97),
        emissivity_step=Interval(-0.015, 0.015),
        reflected=Interval(22.0, 32.0),
        blur=Interval(0.5, 0.8, 0.05),
        vignetting=Interval(0.0, 0.03),
        fixed_pattern=Interval(0.02, 0.05),
        drift=Interval(0.05, 0.20),
    )


PRESETS = {"paper": paper, "physical": physical}

_LIMITS = {
    "texture_memory": (0.0, 0.95),
    "decay": (0.0, 0.9),
    "emissivity": (0.5, 1.0),
    "anisotropy": (1.0, 10.0),
    "vignetting": (0.0, 0.5),
    "uneven": (0.0, 0.2),
    "swaths": (0.0, 0.3),
}


def _limits(name: str, value: Interval) -> tuple[float, float]:
    """What an interval may be widened to: nothing changes its sign, and shares stay shares."""
    if name in _LIMITS:
        return _LIMITS[name]
    return (-np.inf, np.inf) if value.low < 0 else (0.2 * value.low, np.inf)


@dataclass(frozen=True)
class Conditions:
    """One draw of every quantity; units as in Ranges."""

    lamp: float
    binder: float  # signed: negative where the part is the warmer one
    sand: float
    uneven: float
    swaths: float
    bed_texture: float
    part_texture: float
    texture_length: float
    anisotropy: float
    texture_memory: float
    decay: float
    creep: float
    chamber: float
    emissivity: float
    emissivity_step: float
    reflected: float
    frame: float
    blur: float
    vignetting: float
    fixed_pattern: float
    drift: float
    lamp_length: float
    place_x: float
    place_y: float


_OF = {"place_x": "place", "place_y": "place"}
_NAMES = tuple(f.name for f in fields(Conditions))


def draw_conditions(ranges: Ranges, rng: np.random.Generator) -> Conditions:
    """What holds for one job."""
    drawn = {name: getattr(ranges, _OF.get(name, name)).draw(rng) for name in _NAMES}
    sign = -1.0 if rng.random() < ranges.hot_part else 1.0
    return replace(Conditions(**drawn), binder=sign * drawn["binder"])


def draw_layer(ranges: Ranges, job: Conditions, rng: np.random.Generator) -> Conditions:
    """What holds for one layer of a job; always as many random numbers."""
    away = rng.uniform(-1.0, 1.0, len(_NAMES)).tolist()
    values = (getattr(job, name) for name in _NAMES)
    return Conditions(*(value + a * reach for value, a, reach in zip(values, away, _reaches(ranges), strict=True)))


@lru_cache(16)
def _reaches(ranges: Ranges) -> tuple[float, ...]:
    return tuple(getattr(ranges, _OF.get(name, name)).reach for name in _NAMES)
