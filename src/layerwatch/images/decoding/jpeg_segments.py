"""The bytes of a JPEG file -> its segments before the first scan, its scans counted, nothing decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from layerwatch.records import DataError

_ALONE = {0x01, 0xD8, 0xD9, *range(0xD0, 0xD8)}  # markers without a length
_FLIR = b"FLIR\0"
_DJI_PARAMETERS = b"\xaa\x55\x12\x06"
_APP1, _APP3, _APP4, _SCAN, _END = 0xE1, 0xE3, 0xE4, 0xDA, 0xD9
MAX_SEGMENTS, MAX_SCANS = 2000, 200


@dataclass(frozen=True)
class Segment:
    """One marker segment without its marker and length."""

    marker: int
    data: bytes


@dataclass(frozen=True)
class Segments:
    """What stands before the picture itself."""

    data: bytes

    @cached_property
    def all(self) -> tuple[Segment, ...]:
        """Up to the first scan, or to where the file is broken."""
        return tuple(_walk(self.data))

    def check(self, name: str) -> None:
        """Refuse what keeps a decoder busy without a picture.

        Raises:
            DataError: too many segments or scans.
        """
        scans = self.data.count(bytes((0xFF, _SCAN)))  # progressive files have some ten
        if len(self.all) >= MAX_SEGMENTS or scans > MAX_SCANS:
            raise DataError(f"{name}: {len(self.all):,} segments and {scans:,} scans in one JPEG; save it again")

    def is_flir(self) -> bool:
        """Whether there is a block of FLIR's, with temperatures."""
        return any(s.marker == _APP1 and s.data.startswith(_FLIR) for s in self.all)

    def is_dji_thermal(self) -> bool:
        """Whether there are raw temperatures in DJI's own form, as in the files of the H20T and later ones."""
        kinds = {s.marker for s in self.all}
        return _APP3 in kinds and any(s.marker == _APP4 and s.data.startswith(_DJI_PARAMETERS) for s in self.all)

    def flir_block(self, name: str) -> bytes:
        """FLIR's block, put together from its pieces in their order.

        Raises:
            DataError: a piece is missing or stands there twice.
        """
        pieces: dict[int, bytes] = {}
        last = -1
        for segment in self.all:
            if segment.marker != _APP1 or not segment.data.startswith(_FLIR) or len(segment.data) < 8:
                continue
            number, last = segment.data[6], segment.data[7]
            if number in pieces:
                raise DataError(f"{name}: piece {number} of FLIR's block stands there twice; copy or export it again")
            pieces[number] = segment.data[8:]
        missing = sorted(set(range(last + 1)) - pieces.keys())
        if missing or not pieces:
            what = f"piece {missing[0]} of {last + 1}" if missing else "all of it"
            raise DataError(f"{name}: FLIR's block is cut off ({what} is missing); copy or export it again")
        return b"".join(pieces[number] for number in range(last + 1))


def _walk(data: bytes) -> Iterator[Segment]:
    if data[:2] != b"\xff\xd8":
        return
    place = 2
    for _ in range(MAX_SEGMENTS):
        while place < len(data) and data[place : place + 2] == b"\xff\xff":
            place += 1  # markers may be filled up
        if place + 4 > len(data) or data[place] != 0xFF:
            return
        marker = data[place + 1]
        if marker in {_SCAN, _END}:
            return
        if marker in _ALONE:
            place += 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if length < 2 or place + 2 + length > len(data):
            return
        yield Segment(marker, data[place + 4 : place + 2 + length])
        place += 2 + length
