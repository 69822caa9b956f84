"""Raw counts -> the bytes of a FLIR block, and of a radiometric JPEG around it, in every form that cameras write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import UInt16

DEFAULTS: Mapping[int, float] = {
    0x20: 0.95,  # emissivity
    0x24: 2.0,  # distance
    0x28: 295.0,  # reflected
    0x2C: 293.0,  # atmosphere
    0x30: 290.0,  # window
    0x34: 0.9,  # its transmission
    0x3C: 0.5,  # humidity
    0x58: 16327.723,  # R1
    0x5C: 1424.8,  # B
    0x60: 1.35,  # F
    0x70: 0.006569,
    0x74: 0.01262,
    0x78: -0.002276,
    0x7C: -0.00667,
    0x80: 1.9,
    0x30C: 0.023158347,  # R2
}


@dataclass(frozen=True)
class FlirFile:
    """How a block is written. Temperatures in kelvin, the distance in metres."""

    header: str = ">"  # byte order of the header and directory: ">" or "<"
    records: str = "<"  # the same of the records
    payload: str = "raw"  # "raw", "PNG", "swapped PNG"
    floats: Mapping[int, float] = field(default_factory=lambda: dict(DEFAULTS))  # by place in the camera's record
    O: int = -6872  # noqa: E741 # FLIR's name
    level: int = 0  # middle of the counts that the camera noted; 0: nothing
    limits: tuple[int, int] = (0, 65535)  # of valid counts, as noted
    moment: tuple[int, int, int] = (0, 0, 0)  # seconds since 1970, thousandths, minutes west of Greenwich

    def block(self, counts: UInt16[np.ndarray, "h w"]) -> bytes:
        """Header, directory, camera's parameters and counts."""
        records = [(0x20, 1, self._camera()), (1, 3 if "PNG" in self.payload else 2, self._raw(counts))]
        directory, content, place = b"", b"", 64 + 32 * len(records)
        for kind, form, data in records:
            entry = struct.pack(self.header + "HHIIIIIII", kind, form, 100, 1, place, len(data), 0, 0, 0)
            directory, content, place = directory + entry, content + data, place + len(data)
        head = b"FFF\0" + b"test".ljust(16, b"\0") + struct.pack(self.header + "IIII", 100, 64, len(records), 2)
        return head.ljust(64, b"\0") + directory + content

    def jpeg(self, counts: UInt16[np.ndarray, "h w"], picture: bytes, piece: int = 60_000) -> bytes:
        """The block in pieces, behind the first two bytes of a JPEG picture."""
        block = self.block(counts)
        pieces = [block[begin : begin + piece] for begin in range(0, len(block), piece)]
        segments = b"".join(
            b"\xff\xe1" + struct.pack(">H", len(one) + 10) + b"FLIR\0\x01" + bytes((number, len(pieces) - 1)) + one
            for number, one in enumerate(pieces)
        )
        return picture[:2] + segments + picture[2:]

    def _camera(self) -> bytes:
        data = bytearray(0x400)
        struct.pack_into(self.records + "H", data, 0, 2)
        for place, value in self.floats.items():
            struct.pack_into(self.records + "f", data, place, value)
        struct.pack_into(self.records + "i", data, 0x308, self.O)
        struct.pack_into(self.records + "HH", data, 0x310, *self.limits)
        struct.pack_into(self.records + "H", data, 0x338, self.level)
        struct.pack_into(self.records + "IIh", data, 0x384, *self.moment)
        data[0xD4:0xDD] = b"test head"
        return bytes(data)

    def _raw(self, counts: UInt16[np.ndarray, "h w"]) -> bytes:
        height, width = counts.shape
        head = struct.pack(self.records + "HHH", 2, width, height).ljust(32, b"\0")
        if self.payload == "raw":
            return head + counts.astype(self.records + "u2").tobytes()
        return head + png_16(counts.byteswap() if self.payload == "swapped PNG" else counts)


def png_16(counts: UInt16[np.ndarray, "h w"]) -> bytes:
    """A 16-bit grey PNG, by the standard."""
    height, width = counts.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in counts)
    head = struct.pack(">IIBBBBB", width, height, 16, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, data) for kind, data in chunks)


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
