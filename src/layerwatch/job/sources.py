"""Conditions of a layer, and what is printed -> fresh temperatures of part and bed, and the surface's texture.

Lamp, sand and binder are the sources of heat. Under ``decay`` the texture is part of them, as in the paper, where
textures are masked by the contours; under ``conduction`` it is the surface's own and leaves no heat behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from layerwatch.job.defects.base import Scene
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Conditions, Ranges
from layerwatch.job.textures import Texture

Image = Float32[np.ndarray, "h w"]


@dataclass(eq=False)
class Sources:
    """What heats and cools the layers of one job; its textures live on from layer to layer."""

    ranges: Ranges
    machine: Machine
    field: Image  # unevenness of the lamp, unit variance
    swath: Image  # binder of each swath, 1 on average
    rng: np.random.Generator
    _textures: Float32[np.ndarray, "2 h w"] | None = None  # of bed and part on the layer before

    @classmethod
    def of(cls, ranges: Ranges, machine: Machine, c: Conditions, rng: np.random.Generator) -> Sources:
        """Draw the lamp's field and the swaths' binder."""
        field = _lamp_field(machine, c, rng)
        return cls(ranges, machine, field, _swaths(machine, c, rng), rng)

    def scene(self, coverage: Image, c: Conditions, *, is_seen: bool = True) -> tuple[Scene, Image]:
        """The next layer, to be asked for in order: its fresh temperatures, and its surface's texture in K.

        A layer that no camera sees needs no texture where textures leave no heat.
        """
        heats = self.ranges.memory == "decay"
        if heats or is_seen:
            bed_texture, part_texture = self._next_textures(c)
            bed_texture *= np.float32(c.bed_texture)
            part_texture *= np.float32(c.part_texture)
        bed = np.float32(c.lamp * c.uneven) * self.field + np.float32(c.lamp - c.sand)
        part = bed - np.float32(c.binder) * self.swath
        nothing = np.zeros_like(bed)
        if heats:
            return Scene(coverage, part + part_texture, bed + bed_texture, nothing), nothing
        if not is_seen:
            return Scene(coverage, part, bed, nothing), nothing
        texture = np.asarray(bed_texture + (part_texture - bed_texture) * coverage, np.float32)
        return Scene(coverage, part, bed, nothing), texture

    def _next_textures(self, c: Conditions) -> Float32[np.ndarray, "2 h w"]:
        fresh = texture_of(self.machine, c).pair(self.rng)
        if self._textures is not None:
            keep = c.texture_memory
            fresh *= np.float32(np.sqrt(1 - keep**2))
            fresh += np.float32(keep) * self._textures
        self._textures = fresh
        return fresh.copy()


def texture_of(machine: Machine, c: Conditions) -> Texture:
    """The texture of a layer; its correlation is longer along the recoater's travel."""
    across = c.texture_length / machine.mm_per_px
    along = across * c.anisotropy
    length = (across, along) if machine.recoater == "x" else (along, across)
    return Texture.of(machine.height, machine.width, length)


def sand_of(machine: Machine) -> Image:
    """Share of each pixel that is sand, not the machine's frame around it."""
    mm, (width, height) = machine.mm_per_px, machine.bed[:2]
    x, y = (np.arange(machine.width) + 0.5) * mm, (np.arange(machine.height) + 0.5) * mm
    inside = [
        np.clip(0.5 + (np.minimum(at, size - at) - machine.rim) / mm, 0, 1) for at, size in ((x, width), (y, height))
    ]
    return np.asarray(inside[1][:, None] * inside[0], np.float32)


def _lamp_field(machine: Machine, c: Conditions, rng: np.random.Generator) -> Image:
    """A smooth field, and stripes of the emitters along the lamp's travel; each half of the variance."""
    length = c.lamp_length / machine.mm_per_px
    smooth = Texture.of(machine.height, machine.width, (length, length)).pair(rng)[0]
    gains = rng.standard_normal(machine.emitters)
    across = machine.height if machine.lamp == "x" else machine.width
    middles = (np.arange(machine.emitters) + 0.5) / machine.emitters
    away = ((np.arange(across) + 0.5) / across)[:, None] - middles
    weights = np.exp(-0.5 * (away * machine.emitters / 0.7) ** 2)
    stripes = (weights @ gains) / np.sqrt((weights**2).sum(1))
    stripes = stripes[:, None] if machine.lamp == "x" else stripes[None, :]
    return np.asarray((smooth + stripes) / np.sqrt(2), np.float32)


def _swaths(machine: Machine, c: Conditions, rng: np.random.Generator) -> Image:
    """Binder of each swath; swaths lie side by side across the head's travel."""
    size, extent = (machine.height, machine.bed[1]) if machine.head == "x" else (machine.width, machine.bed[0])
    gains = 1 + c.swaths * rng.standard_normal(int(np.ceil(extent / machine.swath)))
    number = np.minimum(((np.arange(size) + 0.5) * machine.mm_per_px / machine.swath).astype(int), len(gains) - 1)
    line = gains[number][:, None] if machine.head == "x" else gains[number][None, :]
    return np.asarray(np.broadcast_to(line, (machine.height, machine.width)), np.float32)
