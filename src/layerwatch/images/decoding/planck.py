"""Raw counts and a camera's own parameters -> degC: Planck's law as the camera was calibrated, air and window undone.

The parameters and T = B / ln(R1 / (R2 (S + O)) + F) are FLIR's, as its interface documents for radiometric cameras
give them; the transmission of air with them. Minkina and Dudzik 2009, Infrared Thermography, derive the same balance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float, Float32, UInt16

from layerwatch.records import DataError

KELVIN = 273.15  # of 0 degC
_LEVELS = 65536
_MAX_KELVIN, _MAX_DISTANCE = 10_000.0, 100_000.0  # beyond what any camera measures


@dataclass(frozen=True)
class Radiometry:
    """How one file's counts become temperatures. Temperatures in kelvin, the distance in metres."""

    R1: float
    R2: float
    B: float  # K
    F: float
    O: float  # noqa: E741 # FLIR's name; counts
    emissivity: float = 1.0
    distance: float = 0.0
    reflected: float = 293.15
    atmosphere: float = 293.15
    window: float = 293.15
    window_transmission: float = 1.0
    humidity: float = 0.5  # relative, in [0, 1]
    alpha: tuple[float, float] = (0.006569, 0.01262)  # of the transmission of air, 1 / sqrt(m)
    beta: tuple[float, float] = (-0.002276, -0.00667)  # the same, a square root of g/m3
    X: float = 1.9
    split: float = 0.0  # share of the path that lies behind the window; 0: it stands before the lens, as FLIR has it

    def check(self, name: str) -> None:
        """Refuse what no camera can have stored.

        Raises:
            DataError: a parameter is not finite or out of its range.
        """
        numbers = [getattr(self, f.name) for f in fields(self) if f.name not in {"alpha", "beta"}]
        ranges = {
            "R1": 0 < self.R1 < math.inf,
            "R2": 0 < self.R2 < math.inf,
            "B": 0 < self.B < math.inf,
            "emissivity": 0 < self.emissivity <= 1,
            "window transmission": 0 < self.window_transmission <= 1,
            "humidity": 0 <= self.humidity <= 2,
            "distance": 0 <= self.distance < _MAX_DISTANCE,
            "temperatures": all(0 < t < _MAX_KELVIN for t in (self.reflected, self.atmosphere, self.window)),
            "numbers": all(map(math.isfinite, (*numbers, *self.alpha, *self.beta))),
        }
        if wrong := [what for what, is_right in ranges.items() if not is_right]:
            raise DataError(f"{name}: FLIR's parameters are no real ones ({', '.join(wrong)}); export it again")
        try:
            lets_through = all(0 < tau <= 1.5 for tau in (self.air(1 - self.split), self.air(self.split)))
            foreign = [self.signal(t) for t in (self.reflected, self.atmosphere, self.window)]
        except ArithmeticError:
            lets_through, foreign = False, []
        if not lets_through or not all(map(math.isfinite, foreign)):
            raise DataError(f"{name}: FLIR's parameters fit no air and no body that there is; export it again")

    def air(self, share: float) -> float:
        """Transmission of that share of the path through the air."""
        celsius = self.atmosphere - KELVIN
        water = self.humidity * math.exp(  # g/m3
            1.5587 + 6.939e-2 * celsius - 2.7816e-4 * celsius**2 + 6.8455e-7 * celsius**3
        )
        root, wet = math.sqrt(share * self.distance), math.sqrt(water)
        first, second = (math.exp(-root * (a + b * wet)) for a, b in zip(self.alpha, self.beta, strict=True))
        return self.X * first + (1 - self.X) * second

    def signal(self, kelvin: float) -> float:
        """Counts of a black body before the lens: the inverse of ``kelvin``."""
        return self.R1 / (self.R2 * (math.exp(self.B / kelvin) - self.F)) - self.O

    def kelvin(self, signal: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
        """Of a black body with these counts; NaN where there is none."""
        with np.errstate(all="ignore"):
            found = self.B / np.log(self.R1 / (self.R2 * (signal + self.O)) + self.F)
        return np.asarray(np.where((signal + self.O > 0) & (found > 0) & np.isfinite(found), found, np.nan))

    def of_object(self, counts: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
        """Counts that the object alone would give as a black body: what air, window and reflection add is taken off."""
        e, w = self.emissivity, self.window_transmission
        before, behind = self.air(1 - self.split), self.air(self.split)
        foreign = (  # as it reaches the lens
            (1 - e) * before * w * behind * self.signal(self.reflected)
            + (1 - before) * w * behind * self.signal(self.atmosphere)
            + (1 - w) * behind * self.signal(self.window)
            + (1 - behind) * self.signal(self.atmosphere)
        )
        return (counts - foreign) / (e * before * w * behind)

    def celsius(self, counts: UInt16[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
        """Temperature at each pixel, degC; NaN where the counts belong to none."""
        table = self.kelvin(self.of_object(np.arange(_LEVELS, dtype=np.float64))) - KELVIN
        return np.asarray(table.astype(np.float32)[counts])
