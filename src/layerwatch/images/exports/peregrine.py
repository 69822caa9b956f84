"""Archive -> one HDF5 file a job in the layout of ORNL's Peregrine, which DREAM3D-NX and Myna read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Shaped

from layerwatch.images.archive import Archive
from layerwatch.images.exports.base import Export, optional
from layerwatch.images.grey import to_uint16
from layerwatch.images.hdf5_file import new_hdf5
from layerwatch.images.walk import count_layers, heights, walk, walk_truths
from layerwatch.records import DataError, LayerImage, Progress, Truth, silent

CLASSES = (
    "Powder",
    "Printed",
    "Recoater Hopping",
    "Recoater Streaking",
    "Incomplete Spreading",
    "Swelling",
    "Debris",
    "Super-Elevation",
    "Spatter",
    "Misprint",
    "Over Melting",
    "Under Melting",
)  # of the published data sets, by number
_SAME = {
    "recoater_hopping": "Recoater Hopping",
    "recoater_streak": "Recoater Streaking",
    "short_feed": "Incomplete Spreading",
    "agglomerate": "Debris",
    "debris": "Debris",
    "foreign_object": "Debris",
    "super_elevation": "Super-Elevation",
    "misprint": "Misprint",
}  # defects that mean the same there
_CAMERAS, _SEGMENTS = "slices/camera_data/visible", "slices/segmentation_results"
_SCAN = np.zeros((0, 5), np.float32)  # start and end x, start and end y, time


@dataclass(frozen=True)
class Peregrine(Export):
    """``JOB.hdf5`` for every job: camera data in 16 bit, part ids, the truth as segmentation results, sizes in mm.

    Every pixel has exactly one class. Defects that Peregrine knows have its number; others follow from 12 on, in
    alphabetical order over the archive. Our camera sees a layer once, so both camera places hold the same frames.
    """

    summary: ClassVar[str] = "ORNL Peregrine HDF5, one file a job (DREAM3D-NX, Myna)"
    source: ClassVar[str] = "Scime et al. 2020, Additive Manufacturing 36, 101453; data set Peregrine v2023-11"
    leaves_out: ClassVar[str] = "coverage; sample ids and x-ray CT are empty, since none exist"

    def write(self, archive: Archive, out: Path, *, progress: Progress = silent) -> int:
        """See Export; raises DataError where the frames of a job differ in size."""
        h5py = optional("h5py", "peregrine")
        classes = _classes(truth.label for truth in walk_truths(archive) if truth.is_defective)
        total, done, z = count_layers(archive), 0, heights(archive)
        for job in archive.jobs:
            with new_hdf5(h5py, out / f"{job}.hdf5") as (file, raw):
                build = _Build(file, archive, job, classes)
                build.begin(z[job])
                for _ in build.fill(walk(archive, [job])):
                    raw.check()
                    done += 1
                    progress("export", done, total)
        return total


def _classes(labels: Iterable[str]) -> dict[str, int]:
    """Number of the class of each label."""
    found = sorted(set(labels))
    new = [label for label in found if label not in _SAME]
    return {
        label: CLASSES.index(_SAME[label]) if label in _SAME else len(CLASSES) + new.index(label) for label in found
    }


@dataclass(frozen=True, eq=False)
class _Build:
    """One file in the making."""

    file: Any  # h5py.File
    archive: Archive
    job: str
    classes: Mapping[str, int]

    @property
    def names(self) -> list[str]:
        """Of all classes, by number."""
        new = {number: label for label, number in self.classes.items() if number >= len(CLASSES)}
        return [*CLASSES, *(new[number] for number in sorted(new))]

    def begin(self, z: Mapping[int, float]) -> None:
        """Everything but the pictures."""
        layers = self.archive.layers[self.job]
        first = self.archive.image(self.job, layers[0])
        shape = (len(layers), *first.pixels.shape)
        for key, value in self._attributes(first, z).items():
            self.file.attrs[key] = value
        frames = self._stack(f"{_CAMERAS}/0", shape, np.uint16, shuffle=True)
        frames.attrs["span_degC"] = self.archive.header.span
        self.file[f"{_CAMERAS}/1"] = frames
        self._stack("slices/part_ids", shape, np.uint32)
        self._stack("slices/sample_ids", shape, np.uint32)
        for number in range(len(self.names)):
            self._stack(f"{_SEGMENTS}/{number}", shape, np.bool_)
        self._write(f"{_SEGMENTS}/class_names", np.array(self.names, "S"))
        self._stack("slices/registered_data/anomaly_detection", shape, np.uint8)
        self._stack("slices/registered_data/x-ray_ct", shape, np.uint8)
        for row in range(len(layers)):
            self._write(f"scans/{row}", _SCAN)
        self._write("layerwatch/layers", np.array(layers, np.int32))
        self._write("layerwatch/z", np.array([z[layer] for layer in layers]))

    def fill(self, layers: Iterable[tuple[LayerImage, Truth]]) -> Iterator[int]:
        """Write the pictures row by row, then what is known of the defects; yields each row's number."""
        told = []
        for row, (image, truth) in enumerate(layers):
            if image.pixels.shape != self.file[f"{_CAMERAS}/0"].shape[1:]:
                raise DataError(f"{image.name}: {image.pixels.shape} px, the first frame of {self.job} has others")
            self._picture(row, image, truth)
            told.append({"label": truth.label, "defects": [asdict(defect) for defect in truth.defects]})
            yield row
        self._write("layerwatch/truth", np.array(json.dumps(told, sort_keys=True), "S"))

    def _picture(self, row: int, image: LayerImage, truth: Truth) -> None:
        plan = np.zeros(image.pixels.shape, np.uint8) if image.plan is None else image.plan
        stacks = {
            f"{_CAMERAS}/0": to_uint16(image.pixels),
            "slices/part_ids": plan.astype(np.uint32),
            f"{_SEGMENTS}/0": (plan == 0) & ~truth.mask,
            f"{_SEGMENTS}/1": (plan > 0) & ~truth.mask,
            "slices/registered_data/anomaly_detection": truth.mask.astype(np.uint8),
        }
        if truth.is_defective:
            stacks[f"{_SEGMENTS}/{self.classes[truth.label]}"] = truth.mask
        for name, picture in stacks.items():
            if picture.any():  # zero is what an unwritten layer reads as
                self.file[name][row] = picture

    def _attributes(self, first: LayerImage, z: Mapping[int, float]) -> dict[str, Any]:
        """Of the file itself; a name has a slash in it, as Peregrine writes them. Lengths in mm."""
        (height, width), header = first.pixels.shape, self.archive.header
        sized = {
            "material/layer_thickness": (_thickness(self.archive, z), "mm"),
            "printer/x_real_dimension": (width * header.mm_per_px, "mm"),
            "printer/y_real_dimension": (height * header.mm_per_px, "mm"),
            "printer/x_camera_dimension": (np.int32(width), "pixels"),
            "printer/y_camera_dimension": (np.int32(height), "pixels"),
        }
        return {
            "core/build_name": self.job,
            "core/number_of_layers": np.int32(len(z)),
            "printer/name": str(header.provenance.get("machine", "")),
            **{name: value for name, (value, _) in sized.items()},
            **{f"{name}/units": unit for name, (_, unit) in sized.items()},
            "layerwatch/provenance": json.dumps(header.provenance, sort_keys=True),
        }

    def _stack(self, name: str, shape: tuple[int, ...], dtype: type[np.generic], *, shuffle: bool = False) -> Any:
        """An empty data set with a chunk a layer."""
        chunks = (1, *shape[1:])
        return self.file.create_dataset(
            name, shape, dtype, chunks=chunks, compression="gzip", shuffle=shuffle, fillvalue=0, track_times=False
        )

    def _write(self, name: str, values: Shaped[np.ndarray, "*any"]) -> None:
        self.file.create_dataset(name, data=values, track_times=False)


def _thickness(archive: Archive, z: Mapping[int, float]) -> float:
    """Height of a layer, mm: as the archive says it, else from the tops of its layers.

    Raises:
        DataError: neither tells.
    """
    told = archive.header.provenance.get("layer_height")
    if isinstance(told, (int, float)) and told > 0:
        return float(told)
    (low, bottom), (high, top) = min(z.items()), max(z.items())
    if low == high or top <= bottom:
        raise DataError(f"{archive.folder}: no layer height is known; synthesise jobs of two layers or more")
    return (top - bottom) / (high - low)
