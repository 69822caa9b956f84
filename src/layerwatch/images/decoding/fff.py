"""FLIR's block of records (FFF) -> raw counts, the camera's own parameters and the time; no temperature yet.

The block stands in APP1 of a radiometric JPEG. Its header and each record say their own byte order. The counts lie
there as they are, or as a PNG file of 16 bit in which many cameras, but not all, have swapped the two bytes of each
count against what PNG demands. Which of the two it is, the counts tell themselves; see ``straighten``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from jaxtyping import UInt16

from layerwatch.images.decoding.limits import check_size
from layerwatch.images.decoding.pillow import decode
from layerwatch.images.decoding.planck import Radiometry
from layerwatch.records import DataError

_HEADER, _ENTRY, _PAYLOAD = 64, 32, 32  # bytes
_RAW, _CAMERA = 1, 0x20  # kinds of records
_MAX_RECORDS = 1000
_PNG = b"\x89PNG\r\n\x1a\n"
_CLEAR = 2.0  # times as far off must a figure be in the wrong byte order


@dataclass(frozen=True, eq=False)
class ThermalBlock:
    """What a camera of FLIR's stored beside its picture."""

    counts: UInt16[np.ndarray, "h w"]
    radiometry: Radiometry
    time: datetime | None
    model: str
    serial: str
    payload: str  # "raw", "PNG" or "swapped PNG"


def parse_block(data: bytes, name: str) -> ThermalBlock:
    """Take the block apart.

    Raises:
        DataError: it is broken, or has no counts or no parameters of the camera.
    """
    try:
        records = dict(_records(data, name))
        if missing := {_RAW: "no raw counts", _CAMERA: "no parameters of the camera"}.keys() - records.keys():
            what = "no raw counts" if _RAW in missing else "no parameters of the camera"
            raise DataError(f"{name}: FLIR's block holds {what}, so there are no temperatures in it")
        camera = _Record(records[_CAMERA])
        counts, payload = _counts(_Record(records[_RAW]), camera, name)
        return ThermalBlock(
            counts, _radiometry(camera, name), _time(camera), camera.text(0xD4, 32), camera.text(0x104, 16), payload
        )
    except (struct.error, IndexError):
        raise DataError(f"{name}: FLIR's block is broken or cut off; copy or export it again") from None


class _Record:
    """Numbers at places of a record; its first one is 2 in its byte order."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.order = "<" if struct.unpack_from("<H", data)[0] < 0x100 else ">"

    def get(self, kind: str, place: int) -> float:
        return struct.unpack_from(self.order + kind, self.data, place)[0]  # type: ignore[no-any-return] # a number

    def whole(self, kind: str, place: int) -> int:
        return int(self.get(kind, place))

    def text(self, place: int, length: int) -> str:
        return self.data[place : place + length].partition(b"\0")[0].decode("ascii", "replace").strip()


def _records(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each record; of two of a kind the last one counts."""
    if data[:4] not in {b"FFF\0", b"AFF\0"} or len(data) < _HEADER:
        raise DataError(f"{name}: FLIR's block does not begin as one; copy or export it again")
    order = next((o for o in ("<", ">") if 100 <= struct.unpack_from(o + "I", data, 0x14)[0] < 200), "")
    if not order:
        raise DataError(f"{name}: FLIR's block is of a version that is not known; export it with FLIR's own program")
    place, count = struct.unpack_from(order + "II", data, 0x18)
    if count > _MAX_RECORDS or place + count * _ENTRY > len(data):
        raise DataError(f"{name}: the directory of FLIR's block is cut off; copy or export it again")
    for number in range(count):
        kind, begin, length = struct.unpack_from(order + "H10xII", data, place + number * _ENTRY)
        if kind in {_RAW, _CAMERA}:
            if begin + length > len(data):
                raise DataError(f"{name}: a record of FLIR's block is cut off; copy or export it again")
            yield kind, data[begin : begin + length]


def _counts(raw: _Record, camera: _Record, name: str) -> tuple[UInt16[np.ndarray, "h w"], str]:
    width, height = raw.whole("H", 2), raw.whole("H", 4)
    check_size(height, width, name)
    payload = raw.data[_PAYLOAD:]
    if payload.startswith(_PNG):
        counts = decode(payload, name, "PNG")[0]
        if counts.dtype != np.uint16 or counts.shape != (height, width):
            raise DataError(f"{name}: the PNG inside FLIR's block is not {width} x {height} in 16 bit; export it again")
        return straighten(counts.astype(np.uint16), camera, name)
    if len(payload) < 2 * width * height:
        raise DataError(
            f"{name}: {len(payload):,} bytes of raw counts where {width} x {height} need {2 * width * height:,}; "
            f"copy or export it again"
        )
    counts = np.frombuffer(payload, f"{raw.order}u2", width * height).reshape(height, width)
    return counts.astype(np.uint16), "raw"


def straighten(counts: UInt16[np.ndarray, "h w"], camera: _Record, name: str) -> tuple[UInt16[np.ndarray, "h w"], str]:
    """The counts of a PNG with the bytes of each in the right order, and which order was found.

    Three witnesses are heard. Heat is smooth: in the wrong order the low byte, which is mostly noise, moves the picture
    by 256 a step. The camera noted the middle of the levels that it showed. It also noted the range of valid counts.

    Raises:
        DataError: the witnesses are silent or contradict one another; a guess would be wrong by hundreds of degrees.
    """
    swapped = counts.byteswap()
    low, high, level = (camera.whole("H", place) for place in (0x310, 0x312, 0x338))
    witnesses = [_prefer(_roughness(counts), _roughness(swapped))]
    if level:
        witnesses.append(_prefer(abs(float(np.median(counts)) - level), abs(float(np.median(swapped)) - level)))
    if low < high:
        witnesses.append(_prefer(_share_beyond(counts, low, high), _share_beyond(swapped, low, high)))
    if sum(witnesses) == 0 and not np.array_equal(counts, swapped):
        raise DataError(f"{name}: the byte order of the PNG inside FLIR's block cannot be told; export it as TIFF")
    return (swapped, "swapped PNG") if sum(witnesses) > 0 else (counts, "PNG")


def _prefer(as_is: float, swapped: float) -> int:
    """-1 where the first figure is clearly the smaller, 1 where the second is, else 0."""
    return int(as_is > _CLEAR * swapped) - int(swapped > _CLEAR * as_is)


def _share_beyond(counts: UInt16[np.ndarray, "h w"], low: int, high: int) -> float:
    return float(((counts < low) | (counts > high)).mean())


def _roughness(counts: UInt16[np.ndarray, "h w"]) -> float:
    """Mean step between neighbours, in counts."""
    levels = counts.astype(np.int32)
    return float(np.abs(np.diff(levels, axis=0)).mean() + np.abs(np.diff(levels, axis=1)).mean())


def _radiometry(camera: _Record, name: str) -> Radiometry:
    humidity = camera.get("f", 0x3C)
    found = Radiometry(
        R1=camera.get("f", 0x58),
        R2=camera.get("f", 0x30C),
        B=camera.get("f", 0x5C),
        F=camera.get("f", 0x60),
        O=camera.whole("i", 0x308),
        emissivity=camera.get("f", 0x20),
        distance=camera.get("f", 0x24),
        reflected=camera.get("f", 0x28),
        atmosphere=camera.get("f", 0x2C),
        window=camera.get("f", 0x30),
        window_transmission=camera.get("f", 0x34),
        humidity=humidity / 100 if humidity > 2 else humidity,  # some write per cent
        alpha=(camera.get("f", 0x70), camera.get("f", 0x74)),
        beta=(camera.get("f", 0x78), camera.get("f", 0x7C)),
        X=camera.get("f", 0x80),
    )
    found.check(name)
    return found


def _time(camera: _Record) -> datetime | None:
    """Of the exposure with the camera's own zone; cameras whose clock was never set say nothing."""
    try:
        seconds, thousandths, west = camera.whole("I", 0x384), camera.whole("I", 0x388), camera.whole("h", 0x38C)
        if not seconds or abs(west) >= 24 * 60:
            return None
        moment = datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=thousandths & 0xFFFF)
        return moment.astimezone(timezone(timedelta(minutes=-west)))
    except (struct.error, OverflowError, ValueError, OSError):
        return None
