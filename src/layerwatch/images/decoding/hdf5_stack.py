"""A stack of pictures in an HDF5 file -> one of them at a time, with a limit on what a chunk may unfold to.

Data that lie in other files (external, virtual, linked) are refused: a file from outside must not open others. Deflated
chunks are taken as they lie in the file and unfolded here, since HDF5 itself sets no limit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from jaxtyping import Shaped

from layerwatch.images.decoding.limits import MAX_PIXELS, check_pages, check_ratio, check_size
from layerwatch.records import DataError

_MAX_CHUNKS = 4096  # of one picture
_STEP = 2**20  # bytes unfolded at once
_DEFLATE, _SHUFFLE = 1, 2  # numbers of HDF5's filters
_TYPES = {"|u1", "<u2", ">u2", "<f4", ">f4"}


@dataclass(frozen=True, eq=False)
class Stack:
    """A data set of n x h x w in 8 or 16 bit, or floats."""

    dataset: Any  # h5py.Dataset
    name: str  # of the file, for messages

    @property
    def pages(self) -> int:
        """How many pictures."""
        return int(self.dataset.shape[0])

    def check(self) -> None:
        """Refuse what cannot be read within the limits.

        Raises:
            DataError: wrong shape, type or filter, too large, or data that lie elsewhere.
        """
        shape, chunks = self.dataset.shape, self.dataset.chunks
        if len(shape) != 3 or self.dataset.dtype.str not in _TYPES:
            raise self._refused(f"{self.dataset.dtype} of {' x '.join(map(str, shape))}, not layers of 8 or 16 bit")
        check_size(int(shape[1]), int(shape[2]), self.name)
        check_pages(shape[0], self.name)
        if self.dataset.is_virtual or self.dataset.external:
            raise self._refused("data that lie in other files")
        if chunks is not None:
            many = (-(-int(shape[1]) // chunks[1])) * (-(-int(shape[2]) // chunks[2]))
            if prod(map(int, chunks)) > MAX_PIXELS // 4 or many > _MAX_CHUNKS:
                raise self._refused(f"chunks of {' x '.join(map(str, chunks))}")
        if not self._filters() <= {_DEFLATE, _SHUFFLE}:
            raise self._refused("a compression that is neither gzip nor none")

    def picture(self, number: int) -> Shaped[np.ndarray, "h w"]:
        """One of them, in the machine's byte order.

        Raises:
            DataError: a chunk is broken.
        """
        dtype = self.dataset.dtype
        if self.dataset.chunks is None:
            if self.dataset.id.get_offset() is None and self.dataset.id.get_storage_size() > 0:
                raise self._refused("data that have no place")
            return np.asarray(self.dataset[number], dtype.newbyteorder("="))
        first = next(self._places(number))
        if self._is_whole() and (block := self._chunk(first)) is not None:
            inside = block[number - first[0], : self.dataset.shape[1], : self.dataset.shape[2]]
            return np.asarray(inside, dtype.newbyteorder("="))
        fill = np.asarray(self.dataset.fillvalue, dtype.newbyteorder("="))
        pixels = np.full(self.dataset.shape[1:], fill, dtype.newbyteorder("="))
        for place in self._places(number):
            block = self._chunk(place)
            if block is not None:
                inside = pixels[place[1] : place[1] + block.shape[1], place[2] : place[2] + block.shape[2]]
                inside[:] = block[number - place[0], : inside.shape[0], : inside.shape[1]]
        return pixels

    def _filters(self) -> set[int]:
        plist = self.dataset.id.get_create_plist()
        return {plist.get_filter(number)[0] for number in range(plist.get_nfilters())}

    def _is_whole(self) -> bool:
        """Whether a chunk holds all of a picture."""
        return all(c >= s for c, s in zip(self.dataset.chunks[1:], self.dataset.shape[1:], strict=True))

    def _places(self, number: int) -> Iterator[tuple[int, int, int]]:
        """Beginnings of the chunks of one picture."""
        depth, rows, columns = self.dataset.chunks
        _, height, width = self.dataset.shape
        for top, left in product(range(0, height, rows), range(0, width, columns)):
            yield number // depth * depth, top, left

    def _chunk(self, place: tuple[int, int, int]) -> Shaped[np.ndarray, "d r c"] | None:
        """The block at a place; None where nothing was ever written."""
        found = self.dataset.id.get_chunk_info_by_coord(place)
        if found.byte_offset is None:
            return None
        shape, dtype = self.dataset.chunks, self.dataset.dtype
        size = prod(map(int, shape)) * dtype.itemsize
        check_ratio(size, found.size, self.name)
        if found.size > 2 * size + 2**16:
            raise self._refused(f"a chunk of {found.size:,} bytes where {size:,} are its picture")
        skipped, data = self.dataset.id.read_direct_chunk(place)
        unfolded = self._unfolded(bytes(data), skipped, size)
        if len(unfolded) != size:
            raise self._refused(f"a chunk of {len(unfolded):,} bytes where {size:,} are needed")
        return np.frombuffer(unfolded, dtype).reshape(shape)

    def _unfolded(self, data: bytes | bytearray, skipped: int, size: int) -> bytes | bytearray:
        """Undo the filters, the last one first; those that a chunk says it skipped are left out."""
        plist = self.dataset.id.get_create_plist()
        for number in reversed(range(plist.get_nfilters())):
            kind = plist.get_filter(number)[0]
            if skipped >> number & 1:
                continue
            if kind == _DEFLATE:
                data = self._inflated(data, size)
            elif len(data) == size:
                data = np.frombuffer(data, np.uint8).reshape(self.dataset.dtype.itemsize, -1).T.tobytes()
        return data

    def _inflated(self, data: bytes | bytearray, size: int) -> bytes | bytearray:
        """At most so many bytes; a chunk that holds more is a lie."""
        stream, found, place = zlib.decompressobj(), bytearray(size), 0
        try:
            while piece := stream.decompress(data, _STEP):
                if place + len(piece) > size:
                    raise self._refused(f"a chunk that unfolds to more than its {size:,} bytes")
                found[place : place + len(piece)] = piece
                place, data = place + len(piece), stream.unconsumed_tail
        except zlib.error as error:
            raise self._refused(f"a broken chunk ({error})") from None
        return bytes(memoryview(found)[:place]) if place < size else found

    def _refused(self, what: str) -> DataError:
        return DataError(f"{self.name}: {self.dataset.name} holds {what}; write it again, as layers x height x width")


def hard_linked(h5py: Any, file: Any, path: str, name: str) -> Any:
    """The object at a path that lies in this very file.

    Raises:
        DataError: it does not exist, or a link leads elsewhere.
    """
    found = file
    for piece in path.split("/"):
        kind = found.get(piece, getclass=True, getlink=True) if isinstance(found, h5py.Group) else None
        if kind is None:
            raise DataError(f"{name}: no {path} in it, so it is no build of Peregrine's; see docs/images.md")
        if kind is not h5py.HardLink:
            raise DataError(f"{name}: {path} leads elsewhere by a link; write the layers into the file itself")
        found = found[piece]
    return found
