"""A part and a machine -> contact sheets: all defects by severity, all faults of frames, healthy layers by height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from layerwatch import catalogue
from layerwatch.evaluation.contact_sheets import Cell, Height, Strip, layers_sheet, strips_sheet
from layerwatch.images.opaque import without_alpha
from layerwatch.images.writing import check_writable, write_file
from layerwatch.job.faults.base import Arrival, Fault, heat_of
from layerwatch.job.machine import Machine
from layerwatch.job.printing import DefectOrder, JobSettings, PrintedLayer, print_job
from layerwatch.job.ranges import Interval
from layerwatch.job.shots import shots_of
from layerwatch.journeys.plates import SlicedPart, slice_part, well_printed
from layerwatch.journeys.synthesise import Wish, plan_jobs
from layerwatch.records import DataError, Progress, Shot, silent

SEVERITIES = (0.5, 1.0, 2.0, 4.0, 8.0)
_JOB = 8  # layers of the job whose frames are spoiled
_SHOWN = 4  # arrivals of each fault
_ZOOMS = (3.0, 2.0, 1.5)
_HEIGHTS = 7  # healthy layers
_OUTLINED = 2.0  # severity up to which the mask is drawn; beyond, the eye must find it

Image = Float32[np.ndarray, "h w"]
Window = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Source:
    """What the sheets are printed from."""

    part: SlicedPart
    machine: Machine
    wish: Wish

    def job(self, first: int, layers: int, number: int = 0) -> JobSettings:
        """A healthy job of the part that begins at a layer; the number makes it another job."""
        plain = plan_jobs([self.part], self.machine, replace(self.wish, layers=layers))["healthy-0000"]
        return replace(plain, name=f"{self.part.name}-{number}", seed=(*plain.seed, number), first_layer=first)


def contact_sheet(
    path: Path,
    out: Path,
    machine: Machine,
    *,
    preset: str = "paper",
    seed: int = 0,
    unit: str | None = None,
    progress: Progress = silent,
) -> tuple[Path, ...]:
    """Write ``defects.png``, ``faults.png`` and ``layers.png``.

    Raises:
        UsageError: no such part, ``out`` cannot be written, or an unknown preset.
        DataError: the part is broken or too short.
    """
    wish = Wish(healthy=1, defective=0, layers=1, preset=preset, seed=seed)
    _ = wish.ranges  # an unknown preset is refused before anything is sliced
    check_writable(out)
    source = Source(slice_part(path, machine, unit=unit, progress=progress), machine, wish)
    if len(source.part.layers) < _JOB:
        have = len(source.part.layers)
        raise DataError(f"{source.part.name} has {have} layers, the sheets need {_JOB}; give a taller part")
    sheets = {"layers.png": healthy_layers, "faults.png": all_faults, "defects.png": all_defects}
    drawn = {name: without_alpha(draw(source, progress)) for name, draw in sheets.items()}
    for name, sheet in drawn.items():
        write_file(out / name, sheet)
    return tuple(out / name for name in sheets)


def all_defects(source: Source, progress: Progress = silent) -> bytes:
    """Every defect of the shelf at each severity, on the layer of its onset in the middle of the part."""
    names = catalogue.names("job.defects")
    strips = []
    for number, name in enumerate(names):
        progress("draw defects", number, len(names), name)
        strips.append(_defect(source, name, number))
    progress("draw defects", len(names), len(names))
    told = f"{source.part.name}, preset {source.wish.preset}, masks outlined up to severity {_OUTLINED:g}"
    title = f"All defects at five severities: {told}"
    heads = [f"severity {severity:g}" for severity in SEVERITIES]
    return strips_sheet(title, strips, blocks=2, heads=heads)


def all_faults(source: Source, progress: Progress = silent) -> bytes:
    """Every fault of the shelf: arrivals in order, from the last one before it on; the spoiled ones are framed."""
    names, machine = catalogue.names("job.faults"), source.machine
    last = len(source.part.layers) - _JOB
    shots = shots_of(print_job(source.job(last // 2, _JOB)), machine)
    other = shots_of(print_job(source.job(last // 5, _JOB, 1)), machine)
    strips = []
    for number, name in enumerate(names):
        progress("draw faults", number, len(names), name)
        fault = _brief(catalogue.load("job.faults", name)())
        rng = np.random.default_rng([source.wish.seed, number])
        strips.append(_fault(fault, tuple(fault.spoil(shots, rng, machine, other)), machine))
    progress("draw faults", len(names), len(names))
    title = "All faults of frames: what arrives, spoiled arrivals framed, with the layer and the time that they claim"
    return strips_sheet(title, strips, blocks=3)


def healthy_layers(source: Source, progress: Progress = silent) -> bytes:
    """Layers spread over the height of the part."""
    count = min(_HEIGHTS, len(source.part.layers))
    places = np.linspace(0, len(source.part.layers) - 1, count + 2)[1:-1].round().astype(int).tolist()
    shown: list[Height] = []
    for number, place in enumerate(places):
        progress("draw layers", number, count)
        (printed,) = print_job(source.job(place, 1, number))
        heat = heat_of(printed.frame, source.machine)
        shown.append(Height(heat, printed.plan, f"layer {printed.layer}, z {printed.z:.1f} mm"))
    progress("draw layers", count, count)
    title = f"Healthy layers and their plans: {source.part.name}, preset {source.wish.preset}"
    return layers_sheet(title, shown, _span([layer.heat for layer in shown]))


def _defect(source: Source, name: str, number: int) -> Strip:
    """One defect in one job at every severity, all in the same window."""
    printed = _ladder(source, name, number)
    heats = [heat_of(layer.frame, source.machine) for layer in printed]
    window = _window(np.any([layer.truth.mask for layer in printed], axis=0))
    cells = tuple(
        Cell(heat[window], _amount(layer), layer.truth.mask[window] if severity <= _OUTLINED else None)
        for heat, layer, severity in zip(heats, printed, SEVERITIES, strict=True)
    )
    span = _span([heat[window] for heat in heats])
    size = (window[0].stop - window[0].start, window[1].stop - window[1].start)
    return Strip(name, catalogue.load("job.defects", name).summary, span, size, cells)


def _ladder(source: Source, name: str, number: int) -> list[PrintedLayer]:
    """The same layer of the same job with the same defect at every severity."""
    areas = np.array([layer.area for layer in source.part.layers])
    fit, refused = well_printed(areas, source.machine), DataError("")
    nearest = int(fit[np.argmin(np.abs(fit - len(areas) // 2))])
    for attempt in range(5):  # where one job has no room for the defect, another has
        place = nearest if attempt < 3 else int(areas.argmax())
        job = source.job(place, 1, 100 * attempt + number)
        orders = [(DefectOrder(name, severity, place),) for severity in SEVERITIES]
        try:
            printed = [next(iter(print_job(replace(job, orders=order)))) for order in orders]
        except DataError as error:
            refused = error
            continue
        if all(layer.truth.defects for layer in printed):
            return printed
        refused = DataError(f"{name} finds nothing printed on layer {place + 1}; take a machine with a finer camera")
    raise refused


def _amount(layer: PrintedLayer) -> str:
    """How much, in K or mm, and d'."""
    (record,) = layer.truth.defects
    much = f"{record.amplitude:+.2f} K" if record.amplitude else f"{record.extent:.1f} mm"
    return f"{much}   d' {10 * record.severity:.0f}"


def _window(mask: Bool[np.ndarray, "h w"]) -> Window:
    """The part of the frame to show, of the frame's shape: all of a mask, or where most of a fine or long one is."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return slice(0, mask.shape[0]), slice(0, mask.shape[1])
    boxes = [(line[0], line[-1] + 1) for line in (rows, columns)]
    middle = [(a + b) / 2 for a, b in boxes]
    shares = [1.5 * (b - a) / side for (a, b), side in zip(boxes, mask.shape, strict=True)]
    zoom = next((zoom for zoom in _ZOOMS if max(shares) * zoom <= 1), 1.0)
    filigree = ndimage.binary_erosion(mask, iterations=2).sum() < 0.1 * mask.sum()
    if zoom == 1 and (filigree or min(shares) * _ZOOMS[1] <= 1):
        zoom = _ZOOMS[1]
        most = ndimage.uniform_filter(mask.astype(float), [round(side / zoom) for side in mask.shape], mode="constant")
        middle = list(np.unravel_index(int(most.argmax()), mask.shape))
    sides = [round(side / zoom) for side in mask.shape]
    starts = [
        round(float(np.clip(m - s / 2, 0, side - s))) for m, s, side in zip(middle, sides, mask.shape, strict=True)
    ]
    return slice(starts[0], starts[0] + sides[0]), slice(starts[1], starts[1] + sides[1])


def _brief(fault: Fault) -> Fault:
    """A fault that passes soon is shown with what comes after it."""
    return replace(fault, layers=Interval(2.0, 2.0)) if 2 < fault.layers.high <= 5 else fault


def _fault(fault: Fault, arrivals: Sequence[Arrival], machine: Machine) -> Strip:
    """The arrivals around the first spoiled one."""
    first = next(n for n, arrival in enumerate(arrivals) if arrival.truth.fault)
    start = min(max(first - 1, 0), max(len(arrivals) - _SHOWN, 0))
    shown = arrivals[start : start + _SHOWN]
    heats = [None if arrival.shot is None else _seen(arrival.shot, machine) for arrival in shown]
    cells = tuple(Cell(heat, _claim(a), None, bool(a.truth.fault)) for heat, a in zip(heats, shown, strict=True))
    span = _span([heat for heat in heats if heat is not None and np.nanmax(heat) > machine.span[0] + 1], 0.03)
    span = (max(span[0], machine.span[0]), min(span[1], machine.span[1]))
    return Strip(fault.name, fault.summary, span, (machine.height, machine.width), cells)


def _seen(shot: Shot, machine: Machine) -> Image:
    """What a program would show that takes the file as it is; NaN where the file ends too early."""
    heat = heat_of(shot.frame if shot.bits == 16 else shot.frame * np.uint16(257), machine)
    lines = np.arange(heat.size).reshape(heat.shape) < shot.share * heat.size
    return np.where(lines, heat, np.float32(np.nan)).astype(np.float32)


def _claim(arrival: Arrival) -> str:
    """Layer and time as claimed, and which layer it really is."""
    shot, truth = arrival.shot, arrival.truth
    if shot is None:
        return f"{truth.layer} missing"
    really = " other" if shot.job != truth.job else f" is {truth.layer}" if shot.layer != truth.layer else ""
    return f"{shot.layer}{really}, {shot.time:.0f} s"


def _span(heats: Sequence[Float32[np.ndarray, "_ _"]], left_out: float = 0.002) -> tuple[float, float]:
    """The scale that holds nearly every pixel of each picture."""
    ends = np.array([np.nanquantile(heat, (left_out, 1 - left_out)) for heat in heats])
    low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
    reach = 0.02 * max(high - low, 1.0)
    return low - reach, high + reach
