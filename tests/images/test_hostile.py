"""Files made to harm: each is refused in words, within a second and 64 MB of memory, and the reader lives on."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from layerwatch.images.archive import encode_tiff
from layerwatch.images.outside import ReadingChild
from layerwatch.records import DataError
from layerwatch.testing.flir_files import FlirFile, png_16, png_chunk

h5py = pytest.importorskip("h5py")
COUNTS = (12000 + 40 * np.add.outer(np.arange(24), np.arange(32))).astype(np.uint16)
NOISE = np.random.default_rng(2).integers(0, 65536, (24, 32), np.uint16)
MOST_MEMORY, MOST_TIME = 64 * 2**20, 1.0
LARGE = 8100  # px a side: within the number of pixels that is allowed


def packed(size: int) -> bytes:
    """So many zeros, unfolded; only the sum at the very end is wrong, where nobody should ever get to."""
    squeeze = zlib.compressobj(9)
    first, block = (squeeze.compress(bytes(2**20)) + squeeze.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + block * (size // 2**20) + squeeze.flush()


def png(width: int, height: int, data: bytes, *, depth: int = 16, extra: bytes = b"") -> bytes:
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + extra + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")


def jpeg(pixels: np.ndarray, **how: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", **how)
    return file.getvalue()


def resized_jpeg(width: int, height: int, *, progressive: bool = False) -> bytes:
    data = bytearray(jpeg(np.zeros((16, 16), np.uint8), progressive=progressive))
    place = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    struct.pack_into(">HH", data, place + 5, height, width)
    return bytes(data)


def tags(*entries: tuple[int, int, int, int], after: int = 0, big: bool = False) -> bytes:
    """A TIFF file of one page with these tags: number, kind, count, value."""
    if big:
        body = struct.pack("<Q", len(entries)) + b"".join(struct.pack("<HHQQ", *one) for one in entries)
        return b"II\x2b\0\x08\0\0\0" + struct.pack("<Q", 16) + body + struct.pack("<Q", after)
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *one) for one in entries)
    return b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", after)


def page(width: int, height: int, **other: int) -> list[tuple[int, int, int, int]]:
    told = {"compression": 1, "place": 8, "length": 64, "rows": height} | other
    return [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 16),
        (259, 3, 1, told["compression"]),
        (262, 3, 1, 1),
        (273, 4, 1, told["place"]),
        (277, 3, 1, 1),
        (278, 4, 1, told["rows"]),
        (279, 4, 1, told["length"]),
    ]


def deflated_tiff(width: int, height: int, data: bytes, **how: int) -> bytes:
    size = 8 + 2 + 9 * 12 + 4
    return tags(*page(width, height, compression=8, place=size, length=len(data), **how)) + data


def loop_of(pages: int) -> bytes:
    """Pages that lead from one to the next and back to the first."""
    size = 2 + 9 * 12 + 4
    after = (8 + (number + 1) % pages * size for number in range(pages))
    return b"II*\0" + struct.pack("<I", 8) + b"".join(tags(*page(16, 16), after=one)[8:] for one in after)


def array(head: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    form = "<H" if version == b"\x01\x00" else "<I"
    return b"\x93NUMPY" + version + struct.pack(form, len(head) + 1) + head.encode() + b"\n" + data


def hdf5(**how: Any) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as build:
        build.create_dataset("slices/camera_data/visible/0", **how)
    return file.getvalue()


def hdf5_bomb() -> bytes:
    """A chunk that unfolds to a gigabyte."""
    file = io.BytesIO()
    with h5py.File(file, "w") as build:
        how = {"dtype": "u2", "chunks": (1, 4000, 4000), "compression": "gzip"}
        stack = build.create_dataset("slices/camera_data/visible/0", (1, 4000, 4000), **how)
        stack.id.write_direct_chunk((0, 0, 0), packed(2**30))
    return file.getvalue()


def circle_in_hdf5() -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as build:
        build.create_group("slices/camera_data")
        build["slices/camera_data/visible"] = build["slices"]
        build["slices/0"] = build["slices"]
    return file.getvalue()


def flir(change: Callable[[bytearray], None], payload: str = "raw") -> bytes:
    made, picture = FlirFile(payload=payload), jpeg(np.zeros((16, 16), np.uint8))
    block = bytearray(made.block(COUNTS))
    change(block)
    piece = b"FLIR\0\x01\0\0" + bytes(block)
    return picture[:2] + b"\xff\xe1" + struct.pack(">H", len(piece) + 2) + piece + picture[2:]


def put(form: str, place: int, *values: int) -> Callable[[bytearray], None]:
    return lambda block: struct.pack_into(form, block, place, *values)


def flir_png_bomb() -> bytes:
    raw = struct.pack("<HHH", 2, LARGE, LARGE).ljust(32, b"\0") + png(LARGE, LARGE, packed(2 * LARGE * LARGE))
    camera = FlirFile().block(COUNTS)[128 : 128 + 0x400]
    directory = struct.pack(">HHIIIIIII", 0x20, 1, 100, 1, 128, 0x400, 0, 0, 0)
    directory += struct.pack(">HHIIIIIII", 1, 3, 100, 1, 128 + 0x400, len(raw), 0, 0, 0)
    block = (b"FFF\0".ljust(20, b"\0") + struct.pack(">IIII", 100, 64, 2, 2)).ljust(64, b"\0")
    block += directory + camera + raw
    pieces = [block[n : n + 60000] for n in range(0, len(block), 60000)]
    picture = jpeg(np.zeros((16, 16), np.uint8))
    segments = b"".join(
        b"\xff\xe1" + struct.pack(">H", len(one) + 10) + b"FLIR\0\x01" + bytes((number, len(pieces) - 1)) + one
        for number, one in enumerate(pieces)
    )
    return picture[:2] + segments + picture[2:]


def files() -> Iterator[tuple[str, bytes]]:
    zeros, zipped = bytes(2 * 16 * 16), packed(2**28)
    row = np.zeros((24, 32), np.uint16)
    text = packed(2**27)

    yield "huge.png", png(60000, 60000, zlib.compress(zeros))
    yield "widest.png", png(2**31 - 1, 8, zlib.compress(zeros))
    yield "nothing.png", png(0, 0, zlib.compress(zeros))
    yield "bomb.png", png(LARGE, LARGE, packed(2 * LARGE * (LARGE + 1)))
    yield "colour-bomb.png", png(LARGE, LARGE, zipped, depth=8).replace(b"\x08\0\0\0\0", b"\x08\2\0\0\0", 1)
    yield "half.png", png_16(NOISE)[:400]
    yield "text-bomb.png", png(16, 16, zlib.compress(b""), extra=png_chunk(b"zTXt", b"a\0\0" + text))
    yield "profile-bomb.png", png(16, 16, zlib.compress(b""), extra=png_chunk(b"iCCP", b"a\0\0" + text))
    yield "film.png", png(16, 16, b"", extra=png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)))
    yield "chunk-without-end.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31 - 1) + b"IHDR" + zeros
    yield "other-name.png", jpeg(np.zeros((16, 16), np.uint8))

    yield "absurd.jpg", resized_jpeg(65535, 65535)
    yield "flat.jpg", resized_jpeg(65535, 1)
    yield "bomb.jpg", resized_jpeg(LARGE, LARGE, progressive=True)
    yield "scans.jpg", jpeg(np.zeros((64, 64), np.uint8), progressive=True) + b"\xff\xda\0\2" * 5000
    yield "half.jpg", jpeg(np.arange(4096, dtype=np.uint16).reshape(64, 64).astype(np.uint8))[:300]
    yield "segments.jpg", b"\xff\xd8" + b"\xff\xe1\0\2" * 200_000
    yield "directory.jpg", flir(put(">II", 0x18, 2**31, 2**31))
    yield "records.jpg", flir(put(">II", 0x18, 64, 1000))
    yield "record-beyond.jpg", flir(put(">II", 64 + 32 + 12, 2**31, 2**31))
    yield "size.jpg", flir(put("<HHH", 64 + 64 + 0x400, 2, 65535, 65535))
    yield "no-version.jpg", flir(put(">I", 0x14, 7))
    yield "no-planck.jpg", flir(put("<f", 128 + 0x58, 0))
    yield "payload-bomb.jpg", flir_png_bomb()

    yield "huge.tiff", tags(*page(2**31, 2**31))
    yield "bomb.tiff", deflated_tiff(LARGE, LARGE, packed(2 * LARGE * (LARGE + 1)))
    yield "lying.tiff", deflated_tiff(64, 64, zlib.compress(b""), rows=1)
    yield "loop.tiff", loop_of(1)
    yield "long-loop.tiff", loop_of(500)
    yield "pages.tiff", tags(*page(16, 16), after=8 + 2 + 9 * 12 + 4) + loop_of(19000)[8:]
    yield "values.tiff", tags(*[(n, 4, 1, 16) for n in (256, 257)], (273, 4, 2**31, 8), (279, 4, 2**31, 8))
    yield "values.tif", tags(*[(n, 4, 1, 16) for n in (256, 257)], (273, 16, 2**60, 8), (279, 16, 2**60, 8), big=True)
    yield "tiles.tiff", tags(*page(16, 16)[:5], (322, 4, 1, 2**30), (323, 4, 1, 2**30), (324, 4, 1, 8), (325, 4, 1, 9))
    yield "no-tiles.tiff", tags(*page(16, 16)[:5], (322, 4, 1, 0), (323, 4, 1, 0), (324, 4, 1, 8), (325, 4, 1, 9))
    yield "depth.tiff", tags(*[one if one[0] != 258 else (258, 3, 1, 65535) for one in page(16, 16)])
    yield "packed.tiff", tags(*page(LARGE, LARGE, compression=5, length=60)) + zeros
    yield "packbits.tiff", tags(*page(LARGE, LARGE, compression=32773, length=60)) + zeros
    yield "empty.tiff", b"II*\0\0\0\0\0"
    yield "half.tiff", encode_tiff(row)[:200]
    yield "jpeg-inside.tiff", tags(*page(4096, 4096, compression=7, length=60)) + zeros

    yield "object.npy", array("{'descr': '|O', 'fortran_order': False, 'shape': (8, 8)}", b"cos\nsystem\n(S'true'\ntR.")
    yield "huge.npy", array("{'descr': '<u2', 'fortran_order': False, 'shape': (999999999, 999999999)}")
    yield "deep.npy", array("(" * 9000)
    yield "long.npy", array("{'descr': '<u2', 'fortran_order': False, 'shape': (8, 8)," + " " * 60_000 + "}")
    yield "code.npy", array("__import__('os').system('true')")
    yield "negative.npy", array("{'descr': '<u2', 'fortran_order': False, 'shape': (-8, -8)}", zeros)

    yield "junk.hdf5", b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 64
    yield "half.hdf5", hdf5(data=np.zeros((2, 64, 64), np.uint16))[:3000]
    yield "huge.hdf5", hdf5(shape=(2**40, 2**20, 2**20), dtype="u2", chunks=(1, 64, 64))
    yield "chunk.hdf5", hdf5(shape=(4000, 800, 800), dtype="u2", chunks=(4000, 800, 800))
    yield "bomb.hdf5", hdf5_bomb()
    yield "chunks.hdf5", hdf5(shape=(1, 8000, 8000), dtype="u2", chunks=(1, 1, 1))
    yield "circle.hdf5", circle_in_hdf5()


FILES = dict(files())


@pytest.fixture(scope="module")
def child() -> Iterator[ReadingChild]:
    with ReadingChild(seconds=20) as one:
        yield one


@pytest.mark.parametrize("name", FILES)
def test_it_is_refused_soon_and_with_little_memory(name: str, child: ReadingChild, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    took = []
    for _ in range(3):  # another program may have had the processor
        begin = time.monotonic()
        with pytest.raises(DataError, match=name) as refusal:
            child.read(tmp_path / name, name)
        took.append(time.monotonic() - begin)
        assert "not decoded within" not in str(refusal.value)
        assert child.grown < MOST_MEMORY, f"{child.grown:,} bytes"
        if took[-1] < MOST_TIME:
            return
    raise AssertionError(f"{min(took):.2f} s")


def test_there_are_forty_of_them_and_none_is_large() -> None:
    assert len(FILES) >= 40
    assert max(map(len, FILES.values())) < 3 * 2**20


def test_what_a_bomb_is_made_like_is_read_where_it_is_small(child: ReadingChild, tmp_path: Path) -> None:
    """A black layer of the usual size is packed just as tightly, and is a layer."""
    made = {
        "black.png": png(640, 480, zlib.compress(bytes(480 * (1 + 2 * 640)), 9)),
        "black.tiff": deflated_tiff(640, 480, zlib.compress(bytes(2 * 640 * 480), 9)),
        "black.hdf5": hdf5(data=np.zeros((2, 480, 640), np.uint16), compression="gzip", chunks=(1, 480, 640)),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
        assert child.read(tmp_path / name)[0].pixels.shape == (480, 640)
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((3648, 5472), np.uint8), compression="zlib", photometric="minisblack")
    (tmp_path / "plan.tiff").write_bytes(file.getvalue())
    assert child.read(tmp_path / "plan.tiff")[0].pixels.shape == (3648, 5472)
