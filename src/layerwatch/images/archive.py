"""Printed layers -> frames, plans and truth on disk, and back: 16-bit TIFF, 8-bit PNG, JSON.

::

    archive.json              what it is: format, mm per px, span, provenance, jobs with their layers
    frames/JOB/LAYER.tiff     the camera's frame, 16 bit
    plans/JOB/LAYER.png       part instance at each pixel, 0 is bed; a job has them for all of its layers, or for none
    plans/JOB/LAYER.coverage.png   255 times the share of each pixel inside the nominal outline (optional)
    truth/JOB/LAYER.png       255 where the layer is defective (only defective layers have one)
    truth/JOB.json            label and defects of each layer

A job appears whole or not at all, its frames last; ``archive.json`` appears when all jobs are there. What is known
before, without a label, is under frames and plans; only evaluation reads truth.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from jaxtyping import UInt8, UInt16
from PIL import Image

from layerwatch.images.folder import read_image
from layerwatch.images.writing import check_writable, new_folder, write_file
from layerwatch.records import DataError, DefectRecord, LayerImage, Truth, UsageError, plainly

FORMAT = "layerwatch archive 1"
_UNFINISHED = "archive.unfinished.json"
MEND = "run the same `layerwatch synthesise` again, which prints its job anew"


@dataclass(frozen=True, eq=False)
class StoredLayer:
    """One layer on its way into an archive."""

    layer: int
    z: float  # mm, top of the layer
    frame: UInt16[np.ndarray, "h w"]
    plan: UInt8[np.ndarray, "h w"] | None  # None: no CAD is known
    truth: Truth
    coverage: UInt8[np.ndarray, "h w"] | None = None


@dataclass(frozen=True)
class Header:
    """What an archive says of itself besides its jobs."""

    mm_per_px: float
    span: tuple[float, float]  # degC at grey 0 and 1
    provenance: dict[str, Any] = field(default_factory=dict)  # part, machine, preset, seed ... as JSON


def write_archive(
    folder: Path, header: Header, jobs: Sequence[str], print_job: Callable[[str], Iterable[StoredLayer]]
) -> Archive:
    """Write every job that is not there yet, one after another; an interrupted call is taken up where it was.

    Raises:
        UsageError: the folder holds another archive, or cannot be written.
    """
    for job in begin_archive(folder, header, jobs):
        write_job(folder, job, print_job(job))
    return finish_archive(folder, header, jobs)


def begin_archive(folder: Path, header: Header, jobs: Sequence[str]) -> tuple[str, ...]:
    """Make the folder an archive in the making; returns the jobs that are not there yet.

    Raises:
        UsageError: the folder holds another archive, or cannot be written.
        DataError: the name of a job would lead out of the archive.
    """
    try:
        _ = [_plain_name(job) for job in jobs]
    except ValueError as error:
        raise DataError(f"{error}; give one without slashes and dots alone") from None
    _claim(folder, _wanted(header, jobs))
    return tuple(job for job in jobs if not _is_there(folder, job))


def write_job(folder: Path, job: str, printed: Iterable[StoredLayer]) -> None:
    """Write one job, whole or not at all; any process may do it."""
    with (
        new_folder(folder / "frames" / job) as frames,
        new_folder(folder / "plans" / job) as plans,
        new_folder(folder / "truth" / job) as masks,
    ):
        rows, heights = [], []
        for layer in printed:
            file = f"{layer.layer:05d}"
            (frames / f"{file}.tiff").write_bytes(encode_tiff(layer.frame))
            if layer.plan is not None:
                (plans / f"{file}.png").write_bytes(encode_png(layer.plan))
            if layer.coverage is not None:
                (plans / f"{file}.coverage.png").write_bytes(encode_png(layer.coverage))
            if layer.truth.is_defective:
                (masks / f"{file}.png").write_bytes(encode_png(layer.truth.mask.astype(np.uint8) * np.uint8(255)))
            defects = [asdict(defect) for defect in layer.truth.defects]
            rows.append({"layer": layer.layer, "label": layer.truth.label, "defects": defects})
            heights.append({"layer": layer.layer, "z": round(layer.z, 6)})
        (plans / "layers.json").write_bytes(_json(heights))
        write_file(folder / "truth" / f"{job}.json", _json(rows))


def abandon_archive(folder: Path, jobs: Sequence[str]) -> None:
    """Remove an archive of which no job is there, so that a call with other settings finds nothing in its way."""
    if any(_is_there(folder, job) for job in jobs):
        return
    for name in ("frames", "plans", "truth"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / _UNFINISHED).unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def finish_archive(folder: Path, header: Header, jobs: Sequence[str]) -> Archive:
    """Write ``archive.json`` when all jobs are there.

    Raises:
        DataError: a job is not there.
    """
    missing = [job for job in jobs if not _is_there(folder, job)]
    if missing:
        raise DataError(f"{folder}: {len(missing)} jobs are not printed yet, for example {missing[0]}; run it again")
    layers = {job: json.loads((folder / "plans" / job / "layers.json").read_bytes()) for job in jobs}
    write_file(folder / "archive.json", _json({**_wanted(header, jobs), "jobs": layers}))
    (folder / _UNFINISHED).unlink(missing_ok=True)
    return Archive.open(folder)


@dataclass(frozen=True, eq=False)
class Archive:
    """A finished archive on disk."""

    folder: Path
    header: Header
    layers: dict[str, tuple[int, ...]]  # of each job

    @classmethod
    def open(cls, folder: Path) -> Archive:
        """Read ``archive.json``.

        Raises:
            UsageError: no archive there.
            DataError: it is unfinished, broken or of another format.
        """
        text = _read_description(folder)
        try:
            told = json.loads(text)
            header = Header(told["mm_per_px"], tuple(told["span"]), told["provenance"])
            _check_header(header)
            layers = {_plain_name(job): tuple(int(r["layer"]) for r in rows) for job, rows in told["jobs"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{folder}/archive.json is broken ({plainly(error)}); synthesise a new archive") from None
        if not layers or any(len(set(own)) != len(own) or not own for own in layers.values()):
            raise DataError(f"{folder}/archive.json names no job, or a layer twice; synthesise a new archive")
        if told.get("format") != FORMAT:
            raise DataError(f"{folder} is of format {told.get('format')!r}; this version reads {FORMAT!r}")
        return cls(folder, header, layers)

    @property
    def jobs(self) -> tuple[str, ...]:
        """Names of all jobs."""
        return tuple(self.layers)

    def image(self, job: str, layer: int) -> LayerImage:
        """One layer with its plan.

        Raises:
            DataError: a file is missing or broken.
        """
        name = f"{job}/{layer:05d}"
        file = self.folder / "frames" / f"{name}.tiff"
        if not file.is_file():
            raise DataError(f"{file}: the file is missing; {MEND}")
        frame = read_image(file, name=str(file))
        plan = self._plan(job, layer)
        finer = self.coverage_file(job, layer)
        coverage = _read_png(finer) if finer.exists() else None
        return LayerImage(job, layer, frame.pixels, self.header.mm_per_px, plan, name, self.header.span, coverage)

    def coverage_file(self, job: str, layer: int) -> Path:
        """Where the coverage of a layer is, if the archive has it."""
        return self.folder / "plans" / job / f"{layer:05d}.coverage.png"

    def _plan(self, job: str, layer: int) -> UInt8[np.ndarray, "h w"] | None:
        """The plan of a layer; None where the job has none at all."""
        file = self.folder / "plans" / job / f"{layer:05d}.png"
        return _read_png(file) if file.exists() or any(file.parent.glob("*.png")) else None

    def images(self, jobs: Iterable[str] | None = None) -> tuple[LayerImage, ...]:
        """Every layer of the given jobs, or of all."""
        return tuple(self.image(job, layer) for job in jobs or self.jobs for layer in self.layers[job])

    def truths(self, jobs: Iterable[str] | None = None) -> tuple[Truth, ...]:
        """What is really wrong with the layers that ``images`` gives, in the same order."""
        return tuple(truth for job in jobs or self.jobs for truth in self._truth_of(job))

    def defects(self, job: str) -> tuple[DefectRecord, ...]:
        """Every defect of a job once, in the order in which they begin.

        Raises:
            DataError: the file is missing or broken.
        """
        return tuple(dict.fromkeys(defect for _, own in self._labels(job).values() for defect in own))

    def _truth_of(self, job: str) -> Iterable[Truth]:
        rows = self._labels(job)
        for layer in self.layers[job]:
            label, defects = rows[layer]
            healthy = Truth(job, layer, label, np.zeros(self._shape(job, layer), bool), defects)
            mask = self.folder / "truth" / job / f"{layer:05d}.png"
            yield replace(healthy, mask=_read_png(mask) > 0) if healthy.is_defective else healthy

    def _shape(self, job: str, layer: int) -> tuple[int, ...]:
        """Rows and columns of a layer, from the smallest file that tells."""
        plan = self._plan(job, layer)
        return self.image(job, layer).pixels.shape if plan is None else plan.shape

    def _labels(self, job: str) -> dict[int, tuple[str, tuple[DefectRecord, ...]]]:
        """Label and defects of each layer of a job."""
        path = self.folder / "truth" / f"{job}.json"
        try:
            told = json.loads(path.read_bytes())
            rows = {r["layer"]: (str(r["label"]), tuple(DefectRecord(**d) for d in r["defects"])) for r in told}
            for layer in self.layers[job]:
                if layer not in rows:
                    raise ValueError(f"layer {layer} is not in it")
            return {layer: rows[layer] for layer in self.layers[job]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"{path}: missing or broken ({plainly(error)}); remove it and {MEND}") from None


def _check_header(header: Header) -> None:
    low, high = header.span
    if not (0 < header.mm_per_px < 1000 and low < high):
        raise ValueError(f"{header.mm_per_px} mm per pixel, span {low} to {high} degC")


def _plain_name(job: str) -> str:
    """The job's name, which must name one folder and lead nowhere else."""
    if Path(job).name != job or job.strip(". ") == "" or "\\" in job:
        raise ValueError(f"{job!r} is no name of a job")
    return job


def check_claimable(folder: Path) -> None:
    """Refuse a folder that cannot become an archive, before any work is done for it.

    Raises:
        UsageError: it cannot be written, or holds something else.
    """
    check_writable(folder)
    is_archive = any((folder / name).exists() for name in ("archive.json", _UNFINISHED))
    if folder.is_dir() and not is_archive and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty and holds no archive; choose another --out")


def _claim(folder: Path, wanted: dict[str, Any]) -> None:
    """Make the folder ours, or find that it is: a resumed archive must be the same in every setting."""
    for name in ("archive.json", _UNFINISHED):
        if (folder / name).exists():
            there = _json_object(folder / name)
            there.pop("jobs", None)
            if there != json.loads(_json(wanted)):
                raise UsageError(f"{folder} holds an archive of other settings; choose another --out or remove it")
            return
    check_claimable(folder)
    write_file(folder / _UNFINISHED, _json(wanted))


def _json_object(path: Path) -> dict[str, Any]:
    """A JSON object, or an empty one where the file holds none."""
    try:
        told = json.loads(path.read_bytes())
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def encode_tiff(frame: UInt16[np.ndarray, "h w"]) -> bytes:
    """One uncompressed 16-bit page; the same frame gives the same bytes."""
    file = io.BytesIO()
    tifffile.imwrite(file, frame, photometric="minisblack", metadata=None, software=False)
    return file.getvalue()


def encode_png(pixels: UInt8[np.ndarray, "h w"] | UInt16[np.ndarray, "h w"]) -> bytes:
    """Grey PNG in the depth of the pixels; the same pixels give the same bytes."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=3)  # two thirds of the time, a tenth more bytes
    return file.getvalue()


def _read_png(path: Path) -> UInt8[np.ndarray, "h w"]:
    try:
        with Image.open(path, formats=["PNG"]) as image:
            return np.array(image, np.uint8)
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path}: missing or broken ({plainly(error)}); remove it and {MEND}") from None


def _read_description(folder: Path) -> bytes:
    if (folder / "archive.json").is_file():
        return (folder / "archive.json").read_bytes()
    if (folder / _UNFINISHED).exists():
        raise DataError(f"{folder} is an unfinished archive; run the same `layerwatch synthesise` again to finish it")
    raise UsageError(f"{folder} holds no archive.json; make an archive with `layerwatch synthesise`")


def _is_there(folder: Path, job: str) -> bool:
    """Whether every file of a job is there; one that lost a file is printed again."""
    frames, plans, truth = (folder / name / job for name in ("frames", "plans", "truth"))
    try:
        heights, rows = json.loads((plans / "layers.json").read_bytes()), json.loads(Path(f"{truth}.json").read_bytes())
        files = [f"{row['layer']:05d}" for row in heights]
        masks = [f"{row['layer']:05d}" for row in rows if row["label"] not in {"healthy", "trace"}]
        if [row["layer"] for row in rows] != [row["layer"] for row in heights]:
            return False
    except (OSError, ValueError, KeyError, TypeError):
        return False
    wanted = [f"{file}.png" for file in files] if any(plans.glob("*.png")) else []
    if any(plans.glob("*.coverage.png")):
        wanted += [f"{file}.coverage.png" for file in files]
    lists = ((frames, [f"{file}.tiff" for file in files]), (plans, wanted), (truth, [f"{file}.png" for file in masks]))
    return all(there.is_dir() and set(own) <= {file.name for file in there.iterdir()} for there, own in lists if own)


def _wanted(header: Header, jobs: Sequence[str]) -> dict[str, Any]:
    return {"format": FORMAT, **_plain(header), "names": list(jobs)}


def _plain(header: Header) -> dict[str, Any]:
    return {"mm_per_px": header.mm_per_px, "span": list(header.span), "provenance": header.provenance}


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
