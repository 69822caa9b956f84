"""A job of the journal -> an HDF5 file in Peregrine's layout: frames, plans, and the regions that were seen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from layerwatch.images.archive import Header, StoredLayer, write_archive
from layerwatch.images.exports.peregrine import Peregrine
from layerwatch.images.folder import read_image
from layerwatch.images.grey import to_uint16
from layerwatch.images.outside import shared_child
from layerwatch.images.scales import scaled
from layerwatch.images.writing import check_writable
from layerwatch.inspection.journal.job_record import JobLayer, JobRecord
from layerwatch.inspection.names import safe
from layerwatch.inspection.reading import PlanOf
from layerwatch.journeys.reporting.facts import HASH, Facts
from layerwatch.journeys.reporting.surroundings import Surroundings
from layerwatch.records import DataError, LayerImage, Truth

_UNKNOWN_SPAN = (0.0, 1.0)  # degC at grey 0 and 1 where nobody knows
_HEIGHT = 0.3  # mm a layer where nothing tells
_LABELS = {"minor": "minor", "critical": "critical", "cannot be judged": "cannot be judged"}


@dataclass(frozen=True)
class PeregrineFile:
    """What was written."""

    layers: int
    left_out: tuple[str, ...]  # frames, with the reason


def write_peregrine(record: JobRecord, facts: Facts, known: Surroundings, out: Path) -> PeregrineFile:
    """Write the file, whole or not at all.

    Raises:
        UsageError: h5py is not installed, or the place cannot be written.
        DataError: no frame of the job is kept any more.
    """
    check_writable(out.parent)
    out.parent.mkdir(parents=True, exist_ok=True)
    span = _span(record, known)
    left: list[str] = []
    frames = list(_frames(record, known, span, left))
    if not frames:
        raise DataError(f"no frame of {record.job!r} can be read any more, so there is nothing to write as HDF5")
    told = {"machine": record.printer, "layer_height": facts["layer_height"] or _HEIGHT, "job": record.job}
    told |= {"facts_sha256": facts[HASH], "span_known": span is not None, "mask": "boxes of the regions, not truth"}
    header = Header(facts["mm_per_px"] or 1.0, span or _UNKNOWN_SPAN, told)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".report-") as folder:
        name, place = safe(record.job), Path(folder)
        layers = _stored(frames, facts, known, span)
        archive = write_archive(place / "archive", header, [name], lambda _: layers)
        (place / "out").mkdir()
        Peregrine().write(archive, place / "out")
        (place / "out" / f"{name}.hdf5").replace(out)
    return PeregrineFile(len(frames), tuple(left))


def _span(record: JobRecord, known: Surroundings) -> tuple[float, float] | None:
    if known.printer is not None and known.printer.span is not None:
        return known.printer.span
    for name in sorted({one.verdict.model for one in record.layers if one.verdict is not None}):
        model = known.model(name)
        if model is not None and model.provenance.get("span"):
            low, high = model.provenance["span"]
            return float(low), float(high)
    return None


def _read(one: JobLayer, known: Surroundings, span: tuple[float, float] | None) -> LayerImage:
    scale = None if known.printer is None else known.printer.scale
    path = known.folder / one.frame.path
    return read_image(path, name=one.frame.name, span=span, read=scaled(shared_child().read, scale))


def _frames(
    record: JobRecord, known: Surroundings, span: tuple[float, float] | None, left: list[str]
) -> Iterator[JobLayer]:
    """One readable frame a layer, all of one size; why others are left out is noted."""
    size, layers = None, set[int]()
    for one in record.layers:
        layer = one.frame.identity.layer
        if layer < 0 or layer in layers or not one.frame.path:
            left.append(f"layer {layer}: no number, a second frame, or no file")
            continue
        try:
            shape = _read(one, known, span).pixels.shape
        except DataError as error:
            left.append(f"layer {layer}: {error}")
            continue
        size = size or shape
        if shape != size:
            left.append(f"layer {layer}: another size than the first")
            continue
        layers.add(layer)
        yield one


def _stored(
    frames: list[JobLayer], facts: Facts, known: Surroundings, span: tuple[float, float] | None
) -> Iterator[StoredLayer]:
    plans = known.plans(facts["job"])
    states = {(row["layer"], row["frame_sha256"]): row["state"] for row in facts["layers"]}
    height = facts["layer_height"] or _HEIGHT
    with_plans = all(_has_plan(plans, facts["job"], one.frame.identity.layer) for one in frames)
    for one in frames:
        layer, image = one.frame.identity.layer, _read(one, known, span)
        planned = plans(facts["job"], layer) if with_plans else None
        fits = planned is not None and planned.plan.shape == image.pixels.shape
        plan = planned.plan if planned is not None and fits else np.zeros(image.pixels.shape, np.uint8)
        truth = _seen(one, states[layer, one.frame.sha256], image, known)
        yield StoredLayer(layer, (layer + 1) * height, to_uint16(image.pixels), plan if with_plans else None, truth)


def _has_plan(plans: PlanOf, job: str, layer: int) -> bool:
    try:
        return plans(job, layer) is not None
    except DataError:
        return False


def _seen(one: JobLayer, state: str, image: LayerImage, known: Surroundings) -> Truth:
    """Where the regions lie, in the place of a truth that nobody has; all of a layer that cannot be judged."""
    mask = np.zeros(image.pixels.shape, bool)
    layer = one.frame.identity.layer
    if state == "cannot be judged":
        return Truth("", layer, _LABELS[state], ~mask)
    factor = 1 if known.printer is None else known.printer.binning
    for region in one.verdict.body.get("regions", ()) if one.verdict is not None else ():
        top, left, bottom, right = (factor * edge for edge in region["box"])
        mask[top:bottom, left:right] = True
    return Truth("", layer, _LABELS[state] if state in _LABELS and mask.any() else "healthy", mask)
