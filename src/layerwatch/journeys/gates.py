"""Healthy layers, or a folder -> the gate that is stored with a model and looks at frames before its detector does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layerwatch.detectors.storage.model_files import StoredModel
from layerwatch.images.arrivals import NO_TIME
from layerwatch.images.gate_files import DESCRIPTION
from layerwatch.images.gating import Gate
from layerwatch.images.grey import to_uint16
from layerwatch.images.plain_gate import plain_gate
from layerwatch.journeys.files import open_gate
from layerwatch.journeys.sources import Healthy, is_archive
from layerwatch.records import LayerImage, Shot, UsageError, counted

_FEWEST, _MOST = 300, 1500  # layers in series, to learn from
_BESIDE = "gate"  # folder of the gate in an archive that `layerwatch clean` wrote


@dataclass(frozen=True)
class Chosen:
    """A gate, and where it comes from in words."""

    gate: Gate | None  # None: there is none that has learnt
    story: str


def gate_beside(data: Path, healthy: Healthy) -> Chosen:
    """The gate that lies in an archive, else one learnt from the archive's healthy layers; none from mere images.

    Raises:
        DataError: the archive's gate is broken.
    """
    if not is_archive(data):
        return Chosen(None, "none learnt: these are images, not the layers of jobs")
    if (data / _BESIDE / DESCRIPTION).is_file():
        return Chosen(open_gate(data / _BESIDE), f"that of {data / _BESIDE}")
    return learnt_gate((*healthy.fit, *healthy.calibration))


def learnt_gate(images: Sequence[LayerImage]) -> Chosen:
    """A gate from layers that follow one another in several jobs; none where there are fewer than 300."""
    jobs: dict[str, list[LayerImage]] = {}
    for image in images:
        jobs.setdefault(image.job, []).append(image)
    series = [sorted(job, key=lambda image: image.layer) for job in jobs.values() if len(job) > 1]
    count = sum(map(len, series))
    if count < _FEWEST or len(series) < 2:
        few = counted(count, "layer in series is", "layers in series are")
        return Chosen(None, f"none learnt: {few} too few, {_FEWEST} of several jobs would do")
    chosen = series[:: -(-count // _MOST)]
    plans = {(job[0].job, job[0].layer): job[0].plan for job in chosen}
    gate = Gate().fit(
        ([Shot(i.job, i.layer, NO_TIME, to_uint16(i.pixels)) for i in job] for job in chosen),
        lambda job, layer: plans.get((job, layer)),
    )
    return Chosen(gate, f"learnt from {counted(sum(map(len, chosen)), 'layer')} of {counted(len(chosen), 'job')}")


def gate_for(model: Path, stored: StoredModel, given: Path | None = None, *, wanted: bool = True) -> Chosen:
    """The gate that frames pass before a model's detector.

    Args:
        model: folder of the model.
        stored: the model.
        given: folder of a gate that is to be taken instead of the model's own.
        wanted: False: a gate that finds no fault.

    Raises:
        UsageError: no such folder, a gate that was learnt from frames of another size, or one that is not wanted.
        DataError: a gate that is broken.
    """
    if not wanted:
        if given is not None:
            raise UsageError(f"--gate {given} and --no-gate contradict one another; leave one away")
        return Chosen(plain_gate(None, ()), "none")
    pixels = stored.provenance.get("pixels")
    size = None if pixels is None else (int(pixels[0]), int(pixels[1]))
    own = given or (model if (model / DESCRIPTION).is_file() else None)
    if own is None:
        return Chosen(plain_gate(size), "plain, since the model holds none: black, repeated, wrong size")
    gate = open_gate(own)
    known = gate.known_
    if size is not None and known is not None and (known.height, known.width) != size:
        raise UsageError(
            f"{own}: a gate for frames of {known.width} x {known.height} pixels, but the model was trained on "
            f"{size[1]} x {size[0]}; give a gate of the same camera, or --no-gate"
        )
    return Chosen(gate, f"that of {own}")
