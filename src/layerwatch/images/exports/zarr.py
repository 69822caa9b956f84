"""Archive -> one Zarr v3 group in shards: frames in 16 bit, plans, coverage and masks [n, h, w], labels, defects."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Bool, Shaped, UInt8, UInt16

from layerwatch.images.archive import Archive
from layerwatch.images.exports.base import Export, optional
from layerwatch.images.grey import to_uint16
from layerwatch.images.walk import count_layers, heights, walk
from layerwatch.records import DataError, DefectRecord, LayerImage, Progress, Truth, silent


@dataclass(frozen=True)
class Zarr(Export):
    """A group for ``zarr.open``: a chunk is a layer, a shard (one file) holds many, row i is the same layer everywhere.

    ``frames`` uint16, ``plans`` uint8 and ``coverage`` uint8 (where the archive has them), ``masks`` bool; ``job`` and
    ``label`` are places in the group's attributes ``jobs`` and ``labels``, ``layer`` is the layer's number, ``z`` its
    top in mm; ``defects/*`` one column a field of the defect records, ``defects/row`` the layer they belong to.
    """

    summary: ClassVar[str] = "Zarr v3 in shards, for large sets"
    source: ClassVar[str] = "Zarr core specification 3.1 with the sharding codec (ZEP 2)"

    shard_bytes: int = 2**24  # of frames before compression; as many layers are held in memory

    def write(self, archive: Archive, out: Path, *, progress: Progress = silent) -> int:
        """See Export; all that the archive holds is carried over."""
        zarr = optional("zarr", "zarr")
        total, z = count_layers(archive), heights(archive)
        number = {job: place for place, job in enumerate(archive.jobs)}
        first = archive.image(archive.jobs[0], archive.layers[archive.jobs[0]][0])
        group = zarr.create_group(out, zarr_format=3, attributes=_attributes(archive))
        stacks, table = _Stacks.create(group, first, total, self.shard_bytes), _Table()
        for done, (image, truth) in enumerate(walk(archive), 1):
            stacks.add(image, truth)
            table.add(number[image.job], z[image.job][image.layer], truth)
            progress("export", done, total)
        stacks.flush()
        table.write(group)
        return total


def _attributes(archive: Archive) -> dict[str, Any]:
    header = archive.header
    return {
        "mm_per_px": header.mm_per_px,
        "span_degC": list(header.span),  # at 0 and 65535
        "jobs": list(archive.jobs),
        "provenance": header.provenance,
    }


@dataclass(eq=False)
class _Stacks:
    """The arrays with a picture a layer; a shard's layers are gathered, then written at once."""

    arrays: dict[str, Any]
    depth: int  # layers of a shard
    waiting: dict[str, list[Shaped[np.ndarray, "h w"]]]
    written: int = 0

    @classmethod
    def create(cls, group: Any, first: LayerImage, total: int, shard_bytes: int) -> _Stacks:
        """Arrays for ``total`` layers like the first."""
        shape = first.pixels.shape
        depth = min(max(shard_bytes // (2 * first.pixels.size), 1), total)
        kinds = {"frames": "uint16", "plans": "uint8", "coverage": "uint8", "masks": "bool"}
        if first.coverage is None:
            del kinds["coverage"]
        if first.plan is None:
            del kinds["plans"]
        arrays = {
            name: group.create_array(
                name,
                shape=(total, *shape),
                dtype=dtype,
                chunks=(1, *shape),
                shards=(depth, *shape),
                dimension_names=("row", "y", "x"),
            )
            for name, dtype in kinds.items()
        }
        return cls(arrays, depth, {name: [] for name in arrays})

    def add(self, image: LayerImage, truth: Truth) -> None:
        """Append one layer.

        Raises:
            DataError: it differs from the first layer in size or in what is known of it.
        """
        pictures = _pictures(image, truth)
        for name, array in self.arrays.items():
            if name not in pictures or pictures[name].shape != array.shape[1:]:
                raise DataError(f"{image.name}: no {name} of {array.shape[1:]} px, as the archive's first layer has")
            self.waiting[name].append(pictures[name])
        if len(self.waiting["frames"]) == self.depth:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        count = len(self.waiting["frames"])
        for name, array in self.arrays.items():
            if count:
                array[self.written : self.written + count] = np.stack(self.waiting[name])
            self.waiting[name].clear()
        self.written += count


def _pictures(
    image: LayerImage, truth: Truth
) -> dict[str, UInt16[np.ndarray, "h w"] | UInt8[np.ndarray, "h w"] | Bool[np.ndarray, "h w"]]:
    told = {"frames": to_uint16(image.pixels), "plans": image.plan, "coverage": image.coverage, "masks": truth.mask}
    return {name: picture for name, picture in told.items() if picture is not None}


@dataclass(eq=False)
class _Table:
    """What is said of each layer in a few numbers."""

    labels: list[str] = field(default_factory=lambda: ["healthy", "trace"])
    rows: list[tuple[int, int, float, int]] = field(default_factory=list)  # job, layer, z, label
    defects: list[tuple[int, DefectRecord]] = field(default_factory=list)  # row

    def add(self, job: int, z: float, truth: Truth) -> None:
        """Append one layer."""
        if truth.label not in self.labels:
            self.labels.append(truth.label)
        self.defects += [(len(self.rows), defect) for defect in truth.defects]
        self.rows.append((job, truth.layer, z, self.labels.index(truth.label)))

    def write(self, group: Any) -> None:
        """Write the columns and the names that they point at."""
        names = sorted({defect.defect for _, defect in self.defects})
        group.attrs.update({"labels": self.labels, "defects": names})
        columns = zip(*self.rows, strict=True)
        for (name, dtype), column in zip(_COLUMNS.items(), columns, strict=True):
            _column(group, name, np.array(column, dtype))
        own = group.create_group("defects")
        _column(own, "row", np.array([row for row, _ in self.defects], np.int64))
        for one in fields(DefectRecord):
            told = [getattr(defect, one.name) for _, defect in self.defects]
            values = [names.index(name) for name in told] if one.name == "defect" else told
            dtype = np.float64 if one.name in {"severity", "amplitude", "extent"} else np.int64
            _column(own, one.name, np.array(values, dtype))


_COLUMNS = {"job": np.int32, "layer": np.int32, "z": np.float64, "label": np.uint16}


def _column(group: Any, name: str, values: Shaped[np.ndarray, " n"]) -> None:
    array = group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=(max(len(values), 1),))
    array[:] = values
