"""Nominal layers, a machine and ranges -> the frames of one virtual job with plans and truth.

The stages are those of the paper's Figure 3: masks and textures, temperature decay from layer to layer, blur, scale.
Every random number comes from streams of its own for conditions, layers, heat, noise and each defect, so a job with a
defect is, frame by frame, the healthy job of the same seed plus that defect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32, UInt8, UInt16

from layerwatch.job.detectability import HealthyCovariance
from layerwatch.job.infrared import Camera, apparent
from layerwatch.job.layout import Instance, Layout, Row, layers_to_print, moved_on_bed
from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Conditions, Ranges, draw_conditions, draw_layer, paper
from layerwatch.job.severity import Active, Healthy, begin, can_begin, change_of
from layerwatch.job.severity import DefectOrder as DefectOrder  # orders come with the settings
from layerwatch.job.sources import Sources, sand_of
from layerwatch.job.textures import gaussian_transfer, imaged, transformed
from layerwatch.job.thermal import HeatMemory, Kernel
from layerwatch.records import DataError, Truth

Image = Float32[np.ndarray, "h w"]

_VISIBLE = 0.25  # a pixel is defective above this share of the strongest change
_TRACE = 1.0  # below this d' the trace of an earlier defect is forgotten


@dataclass(frozen=True, eq=False)
class JobSettings:
    """Everything that a virtual job's bytes depend on."""

    name: str
    seed: tuple[int, ...]
    machine: Machine
    instances: tuple[Instance, ...]
    first_layer: int
    layers: int  # kept
    ranges: Ranges = field(default_factory=paper)
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
    time: float = 0.0  # s since the first layer of the job


def print_job(settings: JobSettings) -> Iterator[PrintedLayer]:
    """Print one job, layer by layer.

    Raises:
        DataError: the job asks for layers that the parts do not have, the layout leaves the bed, or a defect cannot
            begin since nothing is printed from its first layer on; it waits for the first where something is.
    """
    press, active = _Press.set_up(settings), list[Active]()
    waiting = list(zip(settings.orders, press.defect_seeds, strict=True))
    for k, layer in enumerate(press.indices):
        row, c = press.layout.row(k), press.draw()
        scene, texture = press.sources.scene(row.printed, c, is_seen=k >= press.burn_in)
        for order, seed in [due for due in waiting if due[0].first_layer <= layer and can_begin(due[0], row.plan)]:
            press.basis = press.healthy(row)
            active.append(
                begin(replace(order, first_layer=layer), seed, settings.machine, row.plan, scene, press.basis)
            )
            waiting.remove((order, seed))
        now = [defect for defect in active if defect.holds(layer)]

        # Heat is linear in the layers, so the defect's share is carried beside the healthy job's.
        press.rest_before(k)
        seen = press.see(scene.temperature(), c)
        change = press.change(change_of(scene, now, layer) if now else None, c) if active else None
        if k >= press.burn_in:
            frame = press.photograph(seen if change is None else seen + change.residue, texture, row, c)
            told = (frame, *press.planned(row), press.truth(layer, now, change))
            yield PrintedLayer(layer, press.heights[k], *told, press.time(k))
    if waiting:
        raise DataError(
            f"{settings.name}: no layer from {waiting[0][0].first_layer} to {settings.last_layer} fills half a pixel "
            f"({settings.machine.mm_per_px:g} mm) where {waiting[0][0].defect} could begin; print larger parts, other "
            "layers, or with a camera of smaller pixels"
        )


def check_job(settings: JobSettings) -> None:
    """Refuse a job without printing it.

    Raises:
        DataError: the camera's span does not hold its layers.
    """
    first = _stream(np.random.SeedSequence(settings.seed).spawn(1)[0])
    machine, ranges = settings.machine, settings.ranges
    _check_span(machine, draw_conditions(ranges, first), Kernel.conduction(machine.layer_time), ranges)


def healthy_covariance(settings: JobSettings, layer: int) -> HealthyCovariance:
    """How healthy frames of one layer of a job vary, in K; the noise of severity.

    Args:
        settings: the job; its orders do not matter.
        layer: index of a layer that is printed.
    """
    press = _Press.set_up(settings)
    return press.healthy(press.layout.row(press.indices.index(layer))).covariance


def stages_of(settings: JobSettings) -> dict[str, Image]:
    """The first layer kept as it comes to be, stage by stage (Figure 3 of the paper).

    Returns:
        Images by the stage's name: the mask in shares of a pixel, temperatures in degC, the frame in grey.
    """
    press = _Press.set_up(settings)
    for k in range(press.burn_in + 1):
        row, c = press.layout.row(k), press.draw()
        scene, texture = press.sources.scene(row.printed, c, is_seen=k >= press.burn_in)
        press.rest_before(k)
        fresh = np.asarray(scene.temperature(), np.float32)
        seen = press.see(fresh, c)
    heat = np.asarray(imaged(seen, texture.shape[1]), np.float32)
    frame = press.photograph(seen, texture, row, c)
    return {
        "mask": np.asarray(row.printed, np.float32),
        "this layer's heat": fresh,
        "with earlier layers": heat,
        "with textures": np.asarray(heat + texture, np.float32),
        "blurred, scaled": np.asarray(frame / 65535, np.float32),
    }


@dataclass(frozen=True, eq=False)
class _Change:
    """What defects do to one layer."""

    fresh: Image | None  # K; None: nothing new
    residue: np.ndarray  # what is seen of this and earlier changes, on the half plane


@dataclass(eq=False)
class _Press:
    """All that is drawn or computed once for a job, and the streams that are drawn from layer by layer."""

    settings: JobSettings
    conditions: Conditions
    indices: list[int]  # of all layers printed, burn-in first
    heights: list[float]
    burn_in: int
    layout: Layout
    sources: Sources
    camera: Camera
    sand: Image
    pause: tuple[int, float]  # before which row, for how many layer times
    layer_draws: np.random.Generator
    noise: np.random.Generator
    defect_seeds: list[np.random.SeedSequence]
    memory: HeatMemory = field(default_factory=HeatMemory)
    trace: HeatMemory = field(default_factory=HeatMemory)
    basis: Healthy | None = None  # of the layer where the last defect began
    is_traced: bool = False  # an earlier defect can still be found

    @classmethod
    def set_up(cls, settings: JobSettings) -> _Press:
        seeds = np.random.SeedSequence(settings.seed).spawn(6 + len(settings.orders))
        first, layer_draws, heat, noise, outline, camera = (_stream(seed) for seed in seeds[:6])
        machine, ranges = settings.machine, settings.ranges
        c = draw_conditions(ranges, first)
        _check_span(machine, c, Kernel.conduction(machine.layer_time), ranges)
        printed = layers_to_print(settings.instances, settings.first_layer - settings.burn_in, settings.last_layer)
        tallest = max(printed, key=len)
        instances = moved_on_bed(settings.instances, machine, (c.place_x, c.place_y))
        wander = ranges.place.reach * outline.uniform(-1, 1, (len(tallest), 2))
        indices = [layer.index for layer in tallest]
        return cls(
            settings=settings,
            conditions=c,
            indices=indices,
            heights=[layer.z for layer in tallest],
            burn_in=sum(index < settings.first_layer for index in indices),
            layout=Layout(instances, printed, machine, wander),
            sources=Sources.of(ranges, machine, c, heat),
            camera=Camera.of(machine, c, camera),
            sand=sand_of(machine),
            pause=_draw_pause(ranges, len(tallest), first),
            layer_draws=layer_draws,
            noise=noise,
            defect_seeds=seeds[6:],
        )

    def draw(self) -> Conditions:
        """What holds for the next layer."""
        return draw_layer(self.settings.ranges, self.conditions, self.layer_draws)

    def see(self, fresh: Image, c: Conditions) -> np.ndarray:
        """Heat of the layer and of those below it, on the half plane; before the first layer all were like it."""
        spectrum, kernel, spread = transformed(fresh), self.kernel(c), self.spread(c)
        if self.memory.is_cold:
            before = np.inf if self.settings.ranges.memory == "decay" else float(self.indices[0])
            self.memory.settle(spectrum, kernel, spread, before)
        return self.memory.see(spectrum, kernel, spread)

    def change(self, fresh: Image | None, c: Conditions) -> _Change:
        """The defects' share of the layer's heat."""
        if fresh is None:
            return _Change(None, self.trace.fade(self.kernel(c), self.spread(c)))
        fresh = np.asarray(fresh * self.sand, np.float32)
        return _Change(fresh, self.trace.see(transformed(fresh), self.kernel(c), self.spread(c)))

    def rest_before(self, k: int) -> None:
        """The pause, where there is one."""
        row, layers = self.pause
        if k == row:
            for memory in (self.memory, self.trace):
                memory.rest(layers, self.kernel(self.conditions), self.spread(self.conditions))

    def photograph(self, heat: np.ndarray, texture: Image, row: Row, c: Conditions) -> UInt16[np.ndarray, "h w"]:
        """The camera's frame of heat and texture."""
        surface = imaged(heat, texture.shape[1]) + texture + np.float32(c.chamber)
        seen = apparent(surface, row.printed, c)
        if self.settings.machine.rim > 0:
            seen = np.asarray(c.frame + self.sand * (seen - c.frame), np.float32)
        return self.camera.frame(seen, c, self.noise)

    def planned(self, row: Row) -> tuple[UInt8[np.ndarray, "h w"], UInt8[np.ndarray, "h w"]]:
        """Plan and coverage as the camera sees them."""
        view = self.camera.view
        coverage = np.asarray(np.rint(255 * view.frame(row.coverage, 0.0)), np.uint8)
        return (row.plan if view.is_straight else view.nearest(row.plan)), coverage

    def truth(self, layer: int, now: list[Active], change: _Change | None) -> Truth:
        """What is wrong with a layer; after a defect, its trace as long as it could be found."""
        mask, label = np.zeros(self.sand.shape, bool), "healthy"
        if change is not None and change.fresh is not None:
            shown = np.abs(self.camera.blurred(change.fresh, self.conditions))
            mask, label, self.is_traced = shown > _VISIBLE * shown.max(), now[0].record.defect, True
        elif change is not None and self.basis is not None and self.is_traced:
            self.is_traced = self.basis.trace(change.residue) >= _TRACE  # it can only fade
            label = "trace" if self.is_traced else "healthy"
        return Truth(self.settings.name, layer, label, mask, tuple(defect.record for defect in now))

    def healthy(self, row: Row) -> Healthy:
        """How healthy frames of this layer vary."""
        kernel = self.kernel(self.conditions)
        return Healthy.of(self.settings.ranges, self.settings.machine, self.conditions, kernel, row.printed)

    def kernel(self, c: Conditions) -> Kernel:
        """How layers fade."""
        if self.settings.ranges.memory == "decay":
            return Kernel.decay(c.decay)
        return Kernel.conduction(self.settings.machine.layer_time)

    def spread(self, c: Conditions) -> Float32[np.ndarray, "h f"]:
        """Lateral spread of heat in a layer time."""
        return gaussian_transfer(self.sand.shape, c.creep / self.settings.machine.mm_per_px)

    def time(self, k: int) -> float:
        """When the k-th layer is exposed, in s since the first layer of the job."""
        row, layers = self.pause
        return self.settings.machine.layer_time * (self.indices[k] + (layers if k >= row else 0.0))


def _stream(seed: np.random.SeedSequence) -> np.random.Generator:
    """A stream of its own; SFC64 fills fields a third faster than the default generator."""
    return np.random.Generator(np.random.SFC64(seed))


def _draw_pause(ranges: Ranges, rows: int, rng: np.random.Generator) -> tuple[int, float]:
    """Before which row there is a pause and for how many layer times; beyond the last row where there is none."""
    wanted, share, length = rng.random(), rng.random(), ranges.pause.draw(rng)
    return (1 + int(share * (rows - 1)), length) if wanted < ranges.pauses and rows > 1 else (rows, 0.0)


def _check_span(machine: Machine, c: Conditions, kernel: Kernel, ranges: Ranges) -> None:
    """Refuse a camera that would see nothing but its limits."""
    steady = 1.0 if ranges.memory == "decay" else sum(kernel.after(n) for n in range(200))
    high = c.chamber + steady * (c.lamp - c.sand)
    low = min(c.chamber + steady * (c.lamp - c.sand - c.binder), high)
    if machine.span[0] > low or machine.span[1] < high:
        raise DataError(
            f"{machine.name}: the camera's span of {machine.span[0]:g} to {machine.span[1]:g} degC does not hold the "
            f"layers, which lie between {low:.1f} and {high:.1f} degC; widen camera.low and camera.high"
        )
