"""Nominal layers, a machine and ranges -> the frames of one virtual job with plans and truth.

The stages are those of the paper's Figure 3: masks and textures, temperature decay from layer to layer, blur, scale.
Every random number comes from streams of its own for conditions, heat, noise and each defect, so a job with a defect
is, frame by frame, the healthy job of the same seed plus that defect.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from jaxtyping import Float32, UInt8, UInt16

from layerwatch import catalogue
from layerwatch.job.defects.base import Defect, Placement, Scene, Site
from layerwatch.job.detectability import HealthyCovariance, amount_for
from layerwatch.job.infrared import Camera
from layerwatch.job.layout import Instance, Layout, lay_out, layers_to_print
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Conditions, Ranges, draw_conditions, paper_ranges
from layerwatch.job.textures import Texture, blurred
from layerwatch.job.thermal import HeatMemory, texture_share
from layerwatch.records import DataError, DefectRecord, Truth

Image = Float32[np.ndarray, "h w"]

_MOST = {"K": 12.0, "mm": 15.0}  # amounts beyond these are no longer believable
_VISIBLE = 0.25  # a pixel is defective above this share of the strongest change
_TRACE = 1.0  # below this d' the trace of an earlier defect is forgotten


@dataclass(frozen=True)
class DefectOrder:
    """A defect to be printed; geometry, place and sign are drawn from the job's seed."""

    defect: str  # its name on the shelf
    severity: float  # d' / 10
    first_layer: int
    layers: int | None = None  # None: drawn by the defect


@dataclass(frozen=True, eq=False)
class JobSettings:
    """Everything that a virtual job's bytes depend on."""

    name: str
    seed: tuple[int, ...]
    machine: Machine
    instances: tuple[Instance, ...]
    first_layer: int
    layers: int  # kept
    ranges: Ranges = field(default_factory=paper_ranges)
    orders: tuple[DefectOrder, ...] = ()
    burn_in: int = 4  # layers printed before the first one kept, for the heat that shines through

    @property
    def last_layer(self) -> int:
        """Index of the last layer kept."""
        return self.first_layer + self.layers - 1


@dataclass(frozen=True, eq=False)
class PrintedLayer:
    """One layer as the camera saw it, the plan it was printed from, and what is wrong with it."""

    layer: int
    z: float  # mm
    frame: UInt16[np.ndarray, "h w"]
    plan: UInt8[np.ndarray, "h w"]  # part instance, 0 is bed
    coverage: UInt8[np.ndarray, "h w"]  # 255 times the share of each pixel inside the nominal outline
    truth: Truth


@dataclass(frozen=True, eq=False)
class _Active:
    """A placed defect with its amount."""

    record: DefectRecord
    placement: Placement

    def spoil(self, scene: Scene, layer: int) -> Scene:
        age = layer - self.record.first_layer
        amount = self.record.amplitude or self.placement.sign * self.record.extent
        return self.placement.spoil(scene, amount, age)

    def holds(self, layer: int) -> bool:
        return self.record.first_layer <= layer <= self.record.last_layer


def print_job(settings: JobSettings) -> Iterator[PrintedLayer]:
    """Print one job, layer by layer.

    Raises:
        DataError: the job asks for layers that the parts do not have, the layout leaves the bed, or a defect is to
            begin where nothing is printed.
    """
    press = _Press.set_up(settings)
    healthy, trace = HeatMemory(press.conditions.decay), HeatMemory(press.conditions.decay)
    active: list[_Active] = []
    for row, index in enumerate(press.indices.tolist()):
        scene = press.scene(row)
        active += [press.place(i, scene, row) for i, o in enumerate(settings.orders) if o.first_layer == index]
        now = [defect for defect in active if defect.holds(index)]
        change = _change(scene, now, index)

        # Heat is linear in the layers, so the defect's share is carried beside the healthy job's.
        seen = healthy.see(scene.temperature())
        residue = trace.see(change)
        frame = press.camera.frame(seen + residue, press.noise)
        if row >= press.burn_in:
            truth = press.truth(row, now, change, residue)
            layout = press.layout
            yield PrintedLayer(index, press.heights[row], frame, layout.plans[row], layout.coverage[row], truth)


def healthy_covariance(settings: JobSettings, layer: int) -> HealthyCovariance:
    """How healthy frames of one layer of a job vary, in K; the noise of severity.

    Args:
        settings: the job; its orders do not matter.
        layer: index of a layer that is printed.
    """
    press = _Press.set_up(settings)
    return press.covariance(int(np.flatnonzero(press.indices == layer)[0]))


def _change(scene: Scene, now: Sequence[_Active], layer: int) -> Image:
    """Fresh temperature of the spoiled minus that of the healthy layer."""
    spoiled = scene
    for defect in now:
        spoiled = defect.spoil(spoiled, layer)
    return np.asarray(spoiled.temperature() - scene.temperature(), np.float32)


@dataclass(eq=False)
class _Press:
    """All that is drawn or computed once for a job, and the streams that are drawn from layer by layer."""

    settings: JobSettings
    conditions: Conditions
    indices: np.ndarray  # of all layers printed, burn-in first
    heights: list[float]
    burn_in: int
    layout: Layout  # as printed, with the outline's wander
    camera: Camera
    texture: Texture
    lamp: Image
    heat: np.random.Generator
    noise: np.random.Generator
    defect_seeds: list[np.random.SeedSequence]
    fields: Float32[np.ndarray, "2 h w"]  # textures of bed and part on the layer before

    @classmethod
    def set_up(cls, settings: JobSettings) -> _Press:
        seeds = np.random.SeedSequence(settings.seed).spawn(4 + len(settings.orders))
        first, heat, noise, outline = (np.random.default_rng(seed) for seed in seeds[:4])
        conditions, machine = draw_conditions(settings.ranges, first), settings.machine
        _check_span(machine, settings.ranges)
        printed = layers_to_print(settings.instances, settings.first_layer - settings.burn_in, settings.last_layer)
        wander = settings.ranges.outline * outline.standard_normal((len(printed[0]), 2))
        layout = lay_out(settings.instances, printed, machine, conditions.place, wander)
        shape, mm = (machine.height, machine.width), machine.mm_per_px
        lamp = Texture.of(*shape, (settings.ranges.lamp_length / mm,) * 2).field(heat) * np.float32(conditions.lamp)
        indices = np.array([layer.index for layer in printed[0]])
        return cls(
            settings=settings,
            conditions=conditions,
            indices=indices,
            heights=[layer.z for layer in printed[0]],
            burn_in=int((indices < settings.first_layer).sum()),
            layout=layout,
            camera=Camera.of(machine, conditions.blur),
            texture=Texture.of(*shape, _texture_length(machine, conditions)),
            lamp=np.asarray(lamp, np.float32),
            heat=heat,
            noise=noise,
            defect_seeds=seeds[4:],
            fields=np.zeros((2, *shape), np.float32),
        )

    def scene(self, row: int) -> Scene:
        """Fresh levels and textures of the next layer; must be asked for in order."""
        c, r = self.conditions, self.settings.ranges
        bed_level, part_level = r.bed_level.draw(self.heat), r.part_level.draw(self.heat)
        gain = r.texture_gain.draw(self.heat)
        fresh = np.stack([self.texture.field(self.heat), self.texture.field(self.heat)])
        keep = np.float32(c.texture_memory if row else 0.0)
        self.fields = keep * self.fields + np.sqrt(1 - keep**2) * fresh
        bed, part = c.bed + bed_level, c.bed + bed_level + c.contrast + part_level
        return Scene(
            coverage=self.layout.printed[row],
            part=np.float32(part) + self.lamp + np.float32(gain * c.part_texture) * self.fields[1],
            bed=np.float32(bed) + self.lamp + np.float32(gain * c.bed_texture) * self.fields[0],
            extra=np.zeros_like(self.lamp),
        )

    def place(self, number: int, scene: Scene, row: int) -> _Active:
        """Draw the geometry of an ordered defect and find the amount of its severity on this very layer."""
        order, seed = self.settings.orders[number], self.defect_seeds[number]
        kind: Defect = catalogue.load("job.defects", order.defect)()
        site = Site(self.settings.machine, (self.layout.plans[row] > 0).astype(np.float32))
        placement = kind.place(np.random.default_rng(seed), site)
        covariance, share = self.covariance(row), np.float32(1 - self.conditions.decay)

        @cache
        def detectability(amount: float) -> float:
            spoiled = placement.spoil(scene, placement.sign * amount, 0)
            change = np.asarray(spoiled.temperature() - scene.temperature(), np.float32)
            return covariance.detectability(blurred(share * change, self.camera.optics))

        linear = kind.unit == "K"
        amount = amount_for(detectability, 10 * order.severity, linear=linear, most=_MOST[kind.unit])
        record = DefectRecord(
            defect=order.defect,
            severity=(detectability(1.0) * amount if linear else detectability(amount)) / 10,
            amplitude=placement.sign * amount if linear else 0.0,
            extent=placement.extent if linear else amount,
            first_layer=order.first_layer,
            last_layer=order.first_layer + (order.layers or placement.span) - 1,
            seed=int(seed.generate_state(1)[0]),
        )
        return _Active(record, placement)

    def covariance(self, row: int) -> HealthyCovariance:
        """How healthy frames of this layer vary, as section 4.2's ranges say, in closed form."""
        c, r = self.conditions, self.settings.ranges
        optics = self.camera.optics**2
        share = texture_share(c.decay, c.texture_memory)
        texture = self.texture.spectrum() * optics * share
        coverage = blurred(self.layout.printed[row], self.camera.optics)
        # Levels and places are drawn afresh each layer; the heat memory averages them.
        fresh = np.sqrt(texture_share(c.decay, 0.0))
        slope_y, slope_x = np.gradient(coverage.astype(np.float64) * c.contrast / self.settings.machine.mm_per_px)
        lamp_share = np.ones_like(slope_x)
        return HealthyCovariance(
            coverage=coverage,
            part_spectrum=texture * c.part_texture**2,
            bed_spectrum=texture * c.bed_texture**2,
            noise=self.settings.machine.noise,
            directions=np.stack([lamp_share, coverage.astype(np.float64), slope_y, slope_x]),
            spreads=fresh * np.array([r.bed_level.spread, r.part_level.spread, r.outline, r.outline]),
        )

    def truth(self, row: int, now: Sequence[_Active], change: Image, residue: Image) -> Truth:
        """What is wrong with a layer; after a defect, its trace as long as it could be found."""
        shown = np.abs(blurred(change, self.camera.optics))
        mask = shown > _VISIBLE * shown.max() if now else np.zeros(shown.shape, bool)
        label = now[0].record.defect if now else "healthy"
        if not now and residue.any():
            trace = self.covariance(row).detectability(blurred(residue, self.camera.optics))
            label = "trace" if trace >= _TRACE else "healthy"
        records = tuple(defect.record for defect in now)
        return Truth(self.settings.name, int(self.indices[row]), label, mask, records)


def _check_span(machine: Machine, ranges: Ranges) -> None:
    """Refuse a camera that would see nothing but its limits."""
    (low, high), cold = machine.span, ranges.bed.low + ranges.contrast.low
    if low > cold or high < ranges.bed.high:
        raise DataError(
            f"{machine.name}: the camera's span of {low:g} to {high:g} degC does not hold the layers, which lie "
            f"between {cold:g} and {ranges.bed.high:g} degC; widen camera.low and camera.high"
        )


def _texture_length(machine: Machine, conditions: Conditions) -> tuple[float, float]:
    """Correlation lengths (rows, columns) in px; longer along the recoater's travel."""
    across = conditions.texture_length / machine.mm_per_px
    along = across * conditions.anisotropy
    return (across, along) if machine.recoater == "x" else (along, across)
