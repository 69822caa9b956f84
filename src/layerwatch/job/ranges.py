"""Names of physical quantities -> intervals from which each job and each layer is drawn, in K, mm, px and shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """A uniform interval."""

    low: float
    high: float

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        return float(rng.uniform(self.low, self.high))

    @property
    def spread(self) -> float:
        """Standard deviation of the draws."""
        return float((self.high - self.low) / np.sqrt(12))


@dataclass(frozen=True)
class Ranges:
    """Domain randomisation: what differs from job to job, and from layer to layer (section 4.2 of the paper)."""

    # drawn once a job
    bed: Interval = Interval(34.0, 44.0)  # degC, mean of the bed
    contrast: Interval = Interval(-5.1, -3.4)  # K, part against bed
    bed_texture: Interval = Interval(0.20, 0.40)  # K, standard deviation
    part_texture: Interval = Interval(0.20, 0.40)  # K
    texture_length: Interval = Interval(8.0, 20.0)  # mm, correlation length of the textures across the recoater
    anisotropy: Interval = Interval(1.0, 2.5)  # times that length along the recoater
    texture_memory: Interval = Interval(0.3, 0.7)  # correlation of the textures from layer to layer
    lamp: Interval = Interval(0.2, 0.8)  # K, standard deviation of the lamp's uneven field
    decay: Interval = Interval(0.15, 0.40)  # share of the layer before in the next
    blur: Interval = Interval(0.5, 0.9)  # px, optics
    place: Interval = Interval(-25.0, 25.0)  # mm, each of x and y, of the whole layout
    # drawn once a layer
    bed_level: Interval = Interval(-0.3, 0.3)  # K
    part_level: Interval = Interval(-0.2, 0.2)  # K
    texture_gain: Interval = Interval(0.85, 1.15)
    outline: float = 0.25  # mm, standard deviation of the printed outline's place, each of x and y

    lamp_length: float = 150.0  # mm, correlation length of the lamp's field


def paper_ranges() -> Ranges:
    """The ranges of the ``paper`` preset."""
    return Ranges()


@dataclass(frozen=True)
class Conditions:
    """One draw of all that stays over a job."""

    bed: float
    contrast: float
    bed_texture: float
    part_texture: float
    texture_length: float
    anisotropy: float
    texture_memory: float
    lamp: float
    decay: float
    blur: float
    place: tuple[float, float]


def draw_conditions(ranges: Ranges, rng: np.random.Generator) -> Conditions:
    """What is fixed for one job."""
    return Conditions(
        bed=ranges.bed.draw(rng),
        contrast=ranges.contrast.draw(rng),
        bed_texture=ranges.bed_texture.draw(rng),
        part_texture=ranges.part_texture.draw(rng),
        texture_length=ranges.texture_length.draw(rng),
        anisotropy=ranges.anisotropy.draw(rng),
        texture_memory=ranges.texture_memory.draw(rng),
        lamp=ranges.lamp.draw(rng),
        decay=ranges.decay.draw(rng),
        blur=ranges.blur.draw(rng),
        place=(ranges.place.draw(rng), ranges.place.draw(rng)),
    )
