"""Temperatures of the surface in degC -> the camera's frame: emissivity, view, optics, its own errors, fixed span."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt16

from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Conditions
from layerwatch.job.textures import blurred, gaussian_transfer
from layerwatch.job.view import View

Image = Float32[np.ndarray, "h w"]
_FORGETS = 0.98  # correlation of the camera's drift from layer to layer


def apparent(surface: Image, coverage: Image, c: Conditions) -> Image:
    """What a surface seems to be, in degC: it emits in part, and mirrors the chamber with the rest."""
    if c.emissivity == 1 and c.emissivity_step == 0:
        return surface
    emissivity = np.float32(c.emissivity) + np.float32(c.emissivity_step) * coverage
    reflected = np.float32(c.reflected)
    return np.asarray(reflected + emissivity * (surface - reflected), np.float32)


@dataclass(eq=False)
class Camera:
    """The optics and the sensor of one job; its offset and fixed pattern drift as its housing warms."""

    machine: Machine
    view: View
    shade: Image  # share of the contrast against the housing that is lost
    pattern: Image  # K
    conditions: Conditions
    _drift: float  # K

    @classmethod
    def of(cls, machine: Machine, c: Conditions, rng: np.random.Generator) -> Camera:
        """A camera whose fixed pattern (pixels, and columns half as strong) is drawn."""
        h, w = machine.height, machine.width
        v, u = (np.indices((h, w)) + 0.5) / np.array([h, w]).reshape(2, 1, 1) - 0.5
        shade = np.asarray(c.vignetting * 2 * (u**2 + v**2), np.float32)
        pixels, columns = rng.standard_normal((h, w), np.float32), rng.standard_normal((1, w), np.float32)
        pattern = np.float32(c.fixed_pattern / np.sqrt(1.25)) * (pixels + columns / 2)
        return cls(machine, View(machine), shade, pattern, c, float(c.drift * rng.standard_normal()))

    def blurred(self, image: Image, c: Conditions) -> Image:
        """An image of the bed through view and optics, nothing around it."""
        return blurred(self.view.frame(image, 0.0), gaussian_transfer(image.shape, c.blur))

    def frame(self, seen: Image, c: Conditions, rng: np.random.Generator) -> UInt16[np.ndarray, "h w"]:
        """One frame; an 8-bit camera's levels lie on the same 16-bit scale (0, 257, 514, ...).

        Args:
            seen: apparent temperatures on the bed in degC.
            c: what holds for this layer.
            rng: the sensor's noise and drift.
        """
        heat = blurred(self.view.frame(seen, c.frame), gaussian_transfer(seen.shape, c.blur))
        heat -= self.shade * (heat - np.float32(c.reflected))
        fresh = float(rng.standard_normal()) * np.sqrt(1 - _FORGETS**2)
        self._drift = _FORGETS * self._drift + self.conditions.drift * fresh
        heat += self.pattern * np.float32(1 + self._drift) + np.float32(self._drift)
        heat += rng.standard_normal(heat.shape, np.float32) * np.float32(self.machine.noise)
        low, high = self.machine.span
        levels = 2**self.machine.bits - 1
        heat -= np.float32(low)
        heat *= np.float32(levels / (high - low))
        counts = np.rint(np.clip(heat, 0, levels, out=heat), out=heat)
        return np.asarray(counts, np.uint16) * np.uint16(65535 // levels)
