"""A picture that its file calls turned is read as a viewer shows it, whoever decodes it."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from layerwatch.images.folder import readers
from layerwatch.images.readers.flir_jpeg import FlirJpeg

PIXELS = np.arange(16 * 24, dtype=np.uint16).reshape(16, 24) * 150
SAMPLE = Path(__file__).parent / "samples" / "linear_load.jpg"
ORIENTATIONS = range(1, 9)


def tagged(kind: str, orientation: int) -> bytes:
    """A picture of 8 bits with the tag in its block of EXIF."""
    image, file = Image.fromarray((PIXELS >> 8).astype(np.uint8)), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(file, kind, exif=exif, **({"quality": 100} if kind == "JPEG" else {}))
    return file.getvalue()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(("kind", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png")])
def test_jpeg_and_png_are_upright(kind: str, suffix: str, orientation: int) -> None:
    data = tagged(kind, orientation)
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert shown is not None
    read = readers()[suffix].read(data, "frame")
    assert read.shape == ((16, 24) if orientation < 5 else (24, 16))
    np.testing.assert_array_equal(read, np.asarray(shown))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff_is_upright_whether_decoded_here_or_by_libtiff(compression: str | None, orientation: int) -> None:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "TIFF", tiffinfo={274: orientation}, compression=compression)
    with tifffile.TiffFile(io.BytesIO(file.getvalue())) as told:
        assert told.pages.first.tags[274].value == orientation
    turned = {1: PIXELS, 2: PIXELS[:, ::-1], 3: PIXELS[::-1, ::-1], 4: PIXELS[::-1], 5: PIXELS.T}
    turned |= {6: PIXELS.T[:, ::-1], 7: PIXELS.T[::-1, ::-1], 8: PIXELS.T[::-1]}
    np.testing.assert_array_equal(readers()[".tif"].read(file.getvalue(), "frame"), turned[orientation])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_tag_that_means_nothing_changes_nothing(orientation: int) -> None:
    read = readers()[".png"].read(tagged("PNG", orientation), "frame")
    np.testing.assert_array_equal(read, (PIXELS >> 8).astype(np.uint8))


def test_a_broken_block_changes_nothing() -> None:
    data = tagged("JPEG", 6)
    place = data.index(b"Exif\0\0") + 6
    broken = data[:place] + b"\xff" * 8 + data[place + 8 :]
    assert readers()[".jpg"].read(broken, "frame").shape == (16, 24)


def test_temperatures_stay_as_the_sensor_gave_them() -> None:
    """The tag is of the picture beside them."""
    data = SAMPLE.read_bytes()
    plain = FlirJpeg().pictures(data, "x")[0].pixels
    block = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    segment = b"Exif\0\0" + block
    turned = data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]
    assert Image.open(io.BytesIO(turned)).getexif()[0x0112] == 6
    np.testing.assert_array_equal(FlirJpeg().pictures(turned, "x")[0].pixels, plain)
