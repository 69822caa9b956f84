"""The shots of a spoiled job -> its files in order of arrival with their claims, the truth apart, and back.

In an archive a spoiled job lies below ``faults/NAME``: ``00000.tiff`` and so on as the bytes arrived, and
``shots.json`` with what each claims. Its plans lie below ``plans/NAME`` as those of every job, by layer; the truth in
``truth/NAME.faults.json``. ``Archive`` knows nothing of it: no detector learns from it by mistake.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from jaxtyping import Shaped

from layerwatch.images.archive import StoredLayer, encode_png
from layerwatch.images.readers.tiff import Tiff
from layerwatch.images.writing import new_folder, write_file
from layerwatch.records import DataError, Shot, ShotTruth, UsageError, plainly


@dataclass(frozen=True, eq=False)
class StoredShot:
    """One arrival as it lies on disk: bytes that may or may not be an image, and what they claim to be."""

    file: str
    job: str
    layer: int
    time: float  # s since the job's start
    data: bytes

    def pixels(self) -> Shaped[np.ndarray, "h w"]:
        """In the file's own depth.

        Raises:
            DataError: the file is no whole image.
        """
        return Tiff().read(self.data, self.file)


def encode_shot(shot: Shot) -> bytes:
    """The file of a shot, in its depth, as far as it arrived."""
    file, depth = io.BytesIO(), np.uint8 if shot.bits == 8 else np.uint16
    tifffile.imwrite(file, shot.frame.astype(depth), photometric="minisblack", metadata=None, software=False)
    data = file.getvalue()
    return data if shot.share >= 1 else data[: max(int(shot.share * len(data)), 1)]


def write_shots(
    folder: Path,
    name: str,
    shots: Sequence[Shot],
    truths: Sequence[ShotTruth],
    layers: Iterable[StoredLayer] = (),
) -> None:
    """Write one spoiled job into an archive's folder, whole or not at all.

    Args:
        folder: of the archive, finished or not.
        name: of the job.
        shots: what arrived, in order.
        truths: one a shot in the same order, and one for each that never came where it should have.
        layers: what was planned; only layer, z, plan and coverage are written.

    Raises:
        DataError: there is not one truth for each shot.
        UsageError: the folder cannot be written.
    """
    if len(shots) != sum(truth.arrived for truth in truths):
        raise DataError(
            f"{name}: {len(shots)} shots, but {sum(t.arrived for t in truths)} truths of shots that arrived"
        )
    files = iter([f"{number:05d}.tiff" for number in range(len(shots))])
    rows = [_truth_row(truth, next(files) if truth.arrived else None) for truth in truths]
    with new_folder(folder / "faults" / name) as arrived, new_folder(folder / "plans" / name) as plans:
        claims = []
        for number, shot in enumerate(shots):
            file = f"{number:05d}.tiff"
            (arrived / file).write_bytes(encode_shot(shot))
            claims.append({"file": file, "job": shot.job, "layer": shot.layer, "time": shot.time})
        (arrived / "shots.json").write_bytes(_json(claims))
        (plans / "layers.json").write_bytes(_json([_write_plan(plans, layer) for layer in layers]))
        write_file(folder / "truth" / f"{name}.faults.json", _json(rows))


def _write_plan(plans: Path, layer: StoredLayer) -> dict[str, Any]:
    if layer.plan is not None:
        (plans / f"{layer.layer:05d}.png").write_bytes(encode_png(layer.plan))
    if layer.coverage is not None:
        (plans / f"{layer.layer:05d}.coverage.png").write_bytes(encode_png(layer.coverage))
    return {"layer": layer.layer, "z": round(layer.z, 6)}


def _truth_row(truth: ShotTruth, file: str | None) -> dict[str, Any]:
    return {"file": file, "fault": truth.fault, "job": truth.job, "layer": truth.layer}


def spoiled_jobs(folder: Path) -> tuple[str, ...]:
    """Names of the spoiled jobs in an archive's folder, in alphabetical order; none where there are none."""
    return tuple(sorted(path.parent.name for path in (folder / "faults").glob("*/shots.json")))


def read_shots(folder: Path, name: str) -> tuple[StoredShot, ...]:
    """Every arrival of a spoiled job, in order.

    Raises:
        UsageError: no such job in the folder.
        DataError: ``shots.json`` is broken, or names a file that is not there.
    """
    path = _inside(folder, name) / "shots.json"
    if not path.is_file():
        there = ", ".join(spoiled_jobs(folder)) or "none"
        raise UsageError(f"{folder} holds no spoiled job {name!r}; there are: {there}")
    try:
        return tuple(_read_shot(path.parent, row) for row in json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: missing or broken ({plainly(error)}); synthesise a new archive") from None


def read_shot_truths(folder: Path, name: str) -> tuple[ShotTruth, ...]:
    """What is really wrong with the shots of a job, in their order; those that never came stand between them.

    Raises:
        DataError: the file is missing or broken.
    """
    _inside(folder, name)
    path = folder / "truth" / f"{name}.faults.json"
    try:
        rows = json.loads(path.read_bytes())
        return tuple(ShotTruth(str(r["fault"]), str(r["job"]), int(r["layer"]), r["file"] is not None) for r in rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: missing or broken ({plainly(error)}); synthesise a new archive") from None


def _read_shot(folder: Path, row: dict[str, Any]) -> StoredShot:
    file = str(row["file"])
    if Path(file).name != file or file in {"", ".."}:
        raise ValueError(f"{file!r} is no name of a file")
    return StoredShot(file, str(row["job"]), int(row["layer"]), float(row["time"]), (folder / file).read_bytes())


def _inside(folder: Path, name: str) -> Path:
    """The folder of a spoiled job, which leads nowhere else."""
    if Path(name).name != name or name in {"", ".."}:
        raise UsageError(f"{name!r} is no name of a job; there are: {', '.join(spoiled_jobs(folder)) or 'none'}")
    return folder / "faults" / name


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
