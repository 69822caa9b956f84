"""ORNL Peregrine HDF5: the camera's pictures of a whole build, layer by layer."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from layerwatch.images.decoding.exif import as_text
from layerwatch.images.decoding.hdf5_stack import Stack, hard_linked
from layerwatch.images.decoding.limits import check_total
from layerwatch.images.decoding.units import narrowed, unit_of
from layerwatch.images.optional import optional
from layerwatch.images.readers.base import Reader, check_page
from layerwatch.records import DataError, Picture

_BROKEN = (OSError, RuntimeError, ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError)
_MAX_TAG = 200  # characters
_TAGS = {"job": "core/build_name", "printer": "printer/name"}


@dataclass
class Peregrine(Reader):
    """Reads ``slices/camera_data/visible/N`` in place; a file may be larger than the memory."""

    summary: ClassVar[str] = "ORNL Peregrine HDF5, one layer a picture"
    source: ClassVar[str] = "Scime et al. 2020, Additive Manufacturing 36, 101453; data set Peregrine v2023-11"
    suffixes: ClassVar[tuple[str, ...]] = (".hdf5", ".h5")
    is_job: ClassVar[bool] = True

    camera: int = 0  # N: Peregrine keeps a picture after melting or printing (0) and one after recoating (1)

    def pictures(self, data: bytes, name: str, page: int | None = None) -> tuple[Picture, ...]:
        """See Reader."""
        return self._read(io.BytesIO(data), name, page)

    def from_file(self, path: Path, name: str, page: int | None = None) -> tuple[Picture, ...]:
        """See Reader."""
        try:
            with path.open("rb") as file:
                return self._read(file, name, page)
        except OSError as error:
            raise DataError(f"{name}: cannot be read ({error.strerror}); look whether it is there") from None

    def _read(self, source: Any, name: str, page: int | None) -> tuple[Picture, ...]:
        h5py = optional("h5py", "peregrine", f"reading {name}")
        try:
            with h5py.File(source, "r") as file:
                return self._pictures(h5py, file, name, page)
        except _BROKEN as error:
            raise DataError(
                f"{name}: not an HDF5 file, or a broken one ({str(error)[:200]}); copy or export it again"
            ) from None

    def _pictures(self, h5py: Any, file: Any, name: str, page: int | None) -> tuple[Picture, ...]:
        dataset = hard_linked(h5py, file, f"slices/camera_data/visible/{self.camera}", name)
        if not isinstance(dataset, h5py.Dataset):
            raise DataError(f"{name}: slices/camera_data/visible/{self.camera} is no picture; write it again")
        stack = Stack(dataset, name)
        stack.check()
        wanted = check_page(page, stack.pages, name)
        check_total(len(wanted) * int(dataset.shape[1]) * int(dataset.shape[2]), len(wanted), name)
        told, found = _tags(file, dataset), []
        for number in wanted:
            pixels = narrowed(stack.picture(number), name)
            tags = {**told, "layer": str(_layer(h5py, file, number, stack.pages, name))}
            found.append(Picture(pixels, unit_of(pixels), None, tags, number, stack.pages, name))
        return tuple(found)


def _tags(file: Any, dataset: Any) -> Mapping[str, str]:
    """Build, printer, and the span of temperatures that our own exports name."""
    found = {key: as_text(file.attrs[path])[:_MAX_TAG] for key, path in _TAGS.items() if path in file.attrs}
    if "span_degC" in dataset.attrs and dataset.attrs["span_degC"].shape == (2,):
        found["span_degC"] = " ".join(f"{float(value):g}" for value in dataset.attrs["span_degC"])
    return {key: text for key, text in found.items() if text}


def _layer(h5py: Any, file: Any, number: int, pages: int, name: str) -> int:
    """Peregrine counts its layers by row; our exports may begin higher, and say so."""
    if "layerwatch" not in file:
        return number
    layers = hard_linked(h5py, file, "layerwatch/layers", name)
    is_ours = isinstance(layers, h5py.Dataset) and layers.shape == (pages,) and layers.dtype.kind in "iu"
    return int(layers[number]) if is_ours else number
