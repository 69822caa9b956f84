from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerwatch.images.folder import read_folder, read_image
from layerwatch.records import DataError, UsageError


def put(path: Path, level: int, size: tuple[int, int] = (10, 12)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, level, np.uint8)).save(path)


def test_images_come_in_natural_order_with_their_classes(tmp_path: Path) -> None:
    for name in ("good/layer10.png", "good/layer9.png", "bad/layer1.jpg", ".hidden.png"):
        put(tmp_path / name, 50)
    (tmp_path / "notes.txt").write_text("not an image")
    found = read_folder(tmp_path)
    assert [image.name for image in found.images] == ["bad/layer1.jpg", "good/layer9.png", "good/layer10.png"]
    assert found.classes == ("bad", "good", "good")
    assert len({image.job for image in found.images}) == 3


def test_no_folder_and_no_image_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read_folder(tmp_path / "missing")
    with pytest.raises(
        DataError, match=r"no image in this folder; it should hold files ending in \.bmp, \.jpeg, \.jpg, \.npy, \.png"
    ):
        read_folder(tmp_path)


def test_mixed_sizes_name_two_files(tmp_path: Path) -> None:
    put(tmp_path / "a.png", 1)
    put(tmp_path / "b.png", 1, (20, 30))
    with pytest.raises(DataError, match=r"a\.png is 12 x 10, b\.png is 30 x 20"):
        read_folder(tmp_path)


def test_a_corrupt_file_among_good_ones_is_named(tmp_path: Path) -> None:
    put(tmp_path / "a.png", 1)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:45])
    with pytest.raises(DataError, match=r"b\.png: (not a PNG file|broken)"):
        read_folder(tmp_path)


def test_a_single_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'\.gif' are not read"):
        read_image(tmp_path / "x.gif")


def test_a_file_of_another_kind_than_its_name_is_told(tmp_path: Path) -> None:
    for name, kind, ending in (
        ("a.png", "TIFF", ".tiff"),
        ("b.tif", "PNG", ".png"),
        ("c.tiff", "JPEG", ".jpg"),
        ("d.npy", "BMP", ".bmp"),
        ("e.JPG", "PNG", ".png"),
    ):
        Image.fromarray(np.full((10, 12), 50, np.uint8)).save(tmp_path / name, kind)
        with pytest.raises(DataError, match=rf"a {kind} file by its first bytes, .* rename it to end in \{ending}"):
            read_image(tmp_path / name)
    (tmp_path / "f.png").write_bytes(b"II*")
    with pytest.raises(DataError, match="not a PNG file"):
        read_image(tmp_path / "f.png")


def test_a_link_that_leads_nowhere_is_not_passed_over(tmp_path: Path) -> None:
    put(tmp_path / "frames" / "1.png", 50)
    put(tmp_path / "elsewhere.png", 50)
    (tmp_path / "frames" / "2.png").symlink_to(tmp_path / "elsewhere.png")
    (tmp_path / "frames" / "again").symlink_to(tmp_path / "frames")
    (tmp_path / "frames" / "3.png").mkdir()
    assert len(read_folder(tmp_path / "frames").images) == 2
    for target in (tmp_path / "nowhere.png", tmp_path / "frames" / "4.png"):
        (tmp_path / "frames" / "4.png").symlink_to(target)
        with pytest.raises(DataError, match=r"4\.png: cannot be read"):
            read_folder(tmp_path / "frames")
        (tmp_path / "frames" / "4.png").unlink()
