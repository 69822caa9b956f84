"""Temperatures in degC -> the camera's frame: blur, fixed span, noise, 8 or 16 bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt16

from layerwatch.job.machine import Machine
from layerwatch.job.textures import blurred, gaussian_transfer


@dataclass(frozen=True, eq=False)
class Camera:
    """The optics and the sensor of one job."""

    machine: Machine
    optics: Float64[np.ndarray, "h f"]  # transfer function of the blur
    inverted: bool = False  # hot is dark

    @classmethod
    def of(cls, machine: Machine, blur: float, *, inverted: bool = False) -> Camera:
        """A camera with a Gaussian blur of ``blur`` px."""
        return cls(machine, gaussian_transfer(machine.height, machine.width, (blur, blur)), inverted)

    def frame(self, heat: Float32[np.ndarray, "h w"], rng: np.random.Generator) -> UInt16[np.ndarray, "h w"]:
        """One frame; an 8-bit camera's levels lie on the same 16-bit scale (0, 257, 514, ...)."""
        noise = rng.standard_normal(heat.shape, np.float32) * np.float32(self.machine.noise)
        low, high = self.machine.span
        grey = np.clip((blurred(heat, self.optics) + noise - low) / (high - low), 0, 1)
        levels = 2**self.machine.bits - 1
        counts = np.rint((1 - grey if self.inverted else grey) * levels)
        return np.asarray(counts * (65535 // levels), np.uint16)
