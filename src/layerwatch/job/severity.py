"""A defect's order and the layer where it begins -> its place and the amount that reaches the severity ordered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Complex64, Float32, UInt8

from layerwatch import catalogue
from layerwatch.job.defects.base import Defect, Placement, Scene, Site
from layerwatch.job.detectability import HealthyCovariance, amount_for
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Conditions, Ranges
from layerwatch.job.sources import texture_of
from layerwatch.job.textures import blurred, gaussian_transfer
from layerwatch.job.thermal import Kernel
from layerwatch.records import DefectRecord

Image = Float32[np.ndarray, "h w"]
MOST = {"K": 12.0, "mm": 15.0}  # amounts beyond these are no longer believable
_DIGITS = 4  # of an amount


@dataclass(frozen=True)
class DefectOrder:
    """A defect to be printed; geometry, place and sign are drawn from the job's seed."""

    defect: str  # its name on the shelf
    severity: float  # d' / 10
    first_layer: int
    layers: int | None = None  # None: drawn by the defect


@dataclass(frozen=True, eq=False)
class Active:
    """A placed defect with its amount."""

    record: DefectRecord
    placement: Placement

    def spoil(self, scene: Scene, layer: int) -> Scene:
        """The layer with the defect."""
        amount = self.record.amplitude or self.placement.sign * self.record.extent
        return self.placement.spoil(scene, amount, layer - self.record.first_layer)

    def holds(self, layer: int) -> bool:
        """Whether the defect is printed on that layer."""
        return self.record.first_layer <= layer <= self.record.last_layer


@dataclass(frozen=True, eq=False)
class Healthy:
    """How healthy frames of one layer vary, and how strongly a fresh change is seen; all on the bed, in K.

    With a tilted camera severity is that of the same camera looking straight down.
    """

    covariance: HealthyCovariance
    gain: Float32[np.ndarray, "h f"]  # from a fresh change to what is seen of it: optics, emissivity, heat memory
    optics: Float32[np.ndarray, "h f"]  # the same without the heat memory

    @classmethod
    def of(cls, ranges: Ranges, machine: Machine, c: Conditions, kernel: Kernel, printed: Image) -> Healthy:
        """What section 4.2's ranges say of one layer, in closed form.

        Args:
            ranges: the spread of what is drawn on each layer.
            machine: pixels, noise.
            c: what holds for the job.
            kernel: how layers fade.
            printed: share of each pixel that is printed.
        """
        optics = gaussian_transfer(printed.shape, c.blur)
        coverage, emitted = blurred(printed, optics), c.emissivity
        heats = ranges.memory == "decay"
        remembered, levels = kernel.correlated(c.texture_memory) if heats else 1.0, np.sqrt(kernel.correlated(0.0))
        texture = texture_of(machine, c).spectrum() * optics.astype(np.float64) ** 2 * remembered * emitted**2
        slope_y, slope_x = np.gradient(coverage.astype(np.float64) * c.binder / machine.mm_per_px)
        offset = np.hypot(levels * np.hypot(ranges.lamp.spread, ranges.sand.spread), ranges.chamber.spread)
        spreads = np.array(
            [
                np.hypot(emitted * offset, c.drift),
                emitted * levels * ranges.binder.spread,
                emitted * levels * ranges.place.spread,
                emitted * levels * ranges.place.spread,
            ]
        )
        directions = np.stack([np.ones_like(slope_x), coverage.astype(np.float64), slope_y, slope_x])
        covariance = HealthyCovariance(
            coverage=coverage,
            part_spectrum=texture * c.part_texture**2,
            bed_spectrum=texture * c.bed_texture**2,
            noise=machine.noise,
            directions=directions[spreads > 0],
            spreads=spreads[spreads > 0],
        )
        seen = np.asarray(np.float32(emitted) * optics, np.float32)
        return cls(covariance, np.asarray(np.float32(kernel.fresh) * seen, np.float32), seen)

    def detectability(self, change: Image) -> float:
        """Compute d' of a fresh change in K to a matched filter that knows it."""
        return self.covariance.detectability(blurred(change, self.gain))

    def trace(self, residue: Complex64[np.ndarray, "h f"]) -> float:
        """Compute d' of what is left of earlier changes, about: part and bed are taken as evenly mixed."""
        return self.covariance.about(np.asarray(residue * self.optics, np.complex64))


def can_begin(order: DefectOrder, plan: UInt8[np.ndarray, "h w"]) -> bool:
    """Whether something is printed on a layer, or the defect needs no part."""
    kind: type[Defect] = catalogue.load("job.defects", order.defect)
    return bool(plan.any()) or not kind.needs_part


def begin(
    order: DefectOrder, seed: np.random.SeedSequence, machine: Machine, plan: Any, scene: Scene, healthy: Healthy
) -> Active:
    """Draw the geometry of an ordered defect and find the amount of its severity on this very layer.

    Raises:
        DataError: the defect needs a part, and nothing is printed there.
    """
    kind: Defect = catalogue.load("job.defects", order.defect)()
    placement = kind.place(np.random.default_rng(seed), Site(machine, (plan > 0).astype(np.float32)))
    before = scene.temperature()

    @cache
    def detectability(amount: float) -> float:
        spoiled = placement.spoil(scene, placement.sign * amount, 0)
        return healthy.detectability(np.asarray(spoiled.temperature() - before, np.float32))

    linear = kind.unit == "K"
    amount = amount_for(detectability, 10 * order.severity, linear=linear, most=MOST[kind.unit])
    amount = float(f"{amount:.{_DIGITS}g}")
    record = DefectRecord(
        defect=order.defect,
        severity=float(f"{(detectability(1.0) * amount if linear else detectability(amount)) / 10:.{_DIGITS}g}"),
        amplitude=placement.sign * amount if linear else 0.0,
        extent=placement.extent if linear else amount,
        first_layer=order.first_layer,
        last_layer=order.first_layer + (order.layers or placement.span) - 1,
        seed=int(seed.generate_state(1)[0]),
    )
    return Active(record, placement)


def change_of(scene: Scene, now: list[Active], layer: int) -> Image:
    """Fresh temperature of the spoiled minus that of the healthy layer."""
    spoiled = scene
    for defect in now:
        spoiled = defect.spoil(spoiled, layer)
    return np.asarray(spoiled.temperature() - scene.temperature(), np.float32)
