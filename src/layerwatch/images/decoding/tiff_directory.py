"""The bytes of a TIFF file -> its pages with size, depth and places of their data, checked before anything is decoded.

Classic TIFF and BigTIFF in both byte orders. Thumbnails and masks (NewSubfileType) are no pages. A chain of directories
that comes back to itself, data that lie outside the file and sizes that no file of this length can hold are refused.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from layerwatch.images.decoding.limits import check_pages, check_ratio, check_size
from layerwatch.records import DataError

_WHOLE = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # kinds of whole numbers in a tag
_MAX_ENTRIES, _MAX_VALUES = 4096, 2**20  # of a directory; of all tags that are read
_THUMBNAIL, _MASK = 1, 4  # bits of NewSubfileType


@dataclass(frozen=True)
class Place:
    """Where a picture is described; ``number`` counts all directories, thumbnails too."""

    place: int  # bytes from the beginning
    number: int


@dataclass(frozen=True)
class Page:
    """What one directory says of its picture."""

    width: int
    height: int
    bits: int
    samples: int
    kind: int  # of a sample: 1 unsigned, 2 signed, 3 float
    compression: int
    predictor: int
    photometric: int
    orientation: int
    offsets: tuple[int, ...]
    counts: tuple[int, ...]  # bytes
    tile: tuple[int, int]  # rows and columns of a strip or tile
    is_tiled: bool
    number: int


class Directory:
    """Reads a TIFF file's structure. Tags by their numbers in TIFF 6.0."""

    WANTED: ClassVar[frozenset[int]] = frozenset(
        {254, 256, 257, 258, 259, 262, 273, 274, 277, 278, 279, 317, 322, 323, 324, 325, 339}
    )

    def __init__(self, data: bytes, name: str) -> None:
        self.data, self.name, self.values = data, name, 0
        self.order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
        version = self._get("H", 2) if self.order else 0
        if version not in {42, 43}:
            raise DataError(
                f"{name}: not a TIFF file, or broken in its first bytes; save it again as 8- or 16-bit grey PNG or TIFF"
            )
        self.is_big = version == 43

    def pages(self) -> tuple[Place, ...]:
        """Where each picture is described, in the order of the file; thumbnails and masks are left out.

        Raises:
            DataError: the chain of pages is broken or endless.
        """
        return tuple(one for one in self._chain() if not self._subfile(one.place) & (_THUMBNAIL | _MASK))

    def page(self, place: Place) -> Page:
        """What is said of one picture, checked against the limits.

        Raises:
            DataError: it is broken, or the picture is too large, too small or too tightly packed.
        """
        tags = self._tags(place.place)
        try:
            width, height = tags[256][0], tags[257][0]
            samples, bits = tags.get(277, (1,))[0], tags.get(258, (1,))
            is_tiled = 322 in tags
            tile = (tags[323][0], tags[322][0]) if is_tiled else (min(tags.get(278, (height,))[0], height), width)
            offsets, counts = (tags[324], tags[325]) if is_tiled else (tags[273], tags[279])
        except KeyError as error:
            raise self._broken(f"tag {error.args[0]} is missing") from None
        check_size(height, width, self.name)
        page = Page(
            width,
            height,
            max(bits),
            samples,
            kind=tags.get(339, (1,))[0],
            compression=tags.get(259, (1,))[0],
            predictor=tags.get(317, (1,))[0],
            photometric=tags.get(262, (1,))[0],
            orientation=tags.get(274, (1,))[0],
            offsets=offsets,
            counts=counts,
            tile=tile,
            is_tiled=is_tiled,
            number=place.number,
        )
        self._check(page)
        return page

    def _chain(self) -> Iterator[Place]:
        """All directories."""
        place = self._get("Q", 8) if self.is_big else self._get("I", 4)
        seen: set[int] = set()
        while place:
            if place in seen:
                raise self._broken("its chain of pages runs in a circle")
            yield Place(place, len(seen))
            seen.add(place)
            check_pages(len(seen), self.name)
            entries, size, head = self._shape(place)
            place = self._get("Q" if self.is_big else "I", place + head + entries * size)

    def _subfile(self, place: int) -> int:
        """NewSubfileType, which has the lowest number of all tags and so stands first."""
        first = place + self._shape(place)[2]
        is_there = self._get("H", first) == 254 and self._get("H", first + 2) == 4
        return self._get("I", first + (12 if self.is_big else 8)) if is_there else 0

    def _shape(self, place: int) -> tuple[int, int, int]:
        """Entries of a directory, bytes of each, bytes before the first."""
        entries = self._get("Q" if self.is_big else "H", place)
        if not 0 < entries <= _MAX_ENTRIES:
            raise self._broken(f"a page with {entries:,} tags")
        return (entries, 20, 8) if self.is_big else (entries, 12, 2)

    def _tags(self, place: int) -> dict[int, tuple[int, ...]]:
        """Whole numbers of the tags that matter here."""
        entries, size, head = self._shape(place)
        found = {}
        for entry in range(place + head, place + head + entries * size, size):
            tag, kind = self._get("H", entry), self._get("H", entry + 2)
            count = self._get("Q" if self.is_big else "I", entry + 4)
            if tag in self.WANTED and kind in _WHOLE and count:
                found[tag] = self._values(kind, count, entry + (12 if self.is_big else 8))
        return found

    def _values(self, kind: int, count: int, place: int) -> tuple[int, ...]:
        """Of one tag; they stand in the entry itself where they fit."""
        self.values += count
        if self.values > _MAX_VALUES:
            raise self._broken(f"{self.values:,} pieces of data")
        if count * struct.calcsize(f"={_WHOLE[kind]}") > (8 if self.is_big else 4):
            place = self._get("Q" if self.is_big else "I", place)
        return self._unpack(f"{count}{_WHOLE[kind]}", place)

    def _check(self, page: Page) -> None:
        rows, columns = page.tile
        if min(page.tile) < 1 or page.samples not in {1, 2, 3, 4} or page.bits > 64:
            raise self._broken(f"tiles of {columns} x {rows}, {page.samples} samples of {page.bits} bits")
        padded = (-(-page.height // rows) * rows) * (-(-page.width // columns) * columns)
        if padded > 4 * page.width * page.height + 2**20:
            raise self._broken(f"tiles of {columns} x {rows} for a picture of {page.width} x {page.height}")
        if len(page.offsets) != len(page.counts) or len(page.offsets) > padded:
            raise self._broken(f"{len(page.offsets)} places for {len(page.counts)} pieces of data")
        ends = (begin + length for begin, length in zip(page.offsets, page.counts, strict=True))
        if max(ends) > len(self.data):
            raise self._broken("its data lie beyond its end")
        decoded = padded * page.samples * max(page.bits, 8) // 8
        check_ratio(decoded, min(sum(page.counts), len(self.data)), self.name)

    def _get(self, kind: str, place: int) -> int:
        return self._unpack(kind, place)[0]

    def _unpack(self, kind: str, place: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from(self.order + kind, self.data, place)
        except (struct.error, OverflowError):
            raise self._broken("it ends too early") from None

    def _broken(self, what: str) -> DataError:
        return DataError(f"{self.name}: broken or truncated TIFF file ({what}); copy or export it again")
