"""The reading child: the same pictures as without it; one that hangs, breaks or swells is ended and replaced."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from layerwatch.images.archive import encode_png, encode_tiff
from layerwatch.images.folder import read_folder, read_pictures
from layerwatch.images.outside import ReadingChild
from layerwatch.records import DataError

SAMPLE = Path(__file__).parent / "samples" / "linear_load.jpg"
FRAME = np.random.default_rng(3).integers(0, 65536, (48, 64), np.uint16)


@pytest.fixture(scope="module")
def child() -> Iterator[ReadingChild]:
    with ReadingChild() as one:
        yield one


@pytest.fixture
def frame(tmp_path: Path) -> Path:
    path = tmp_path / "frame.tiff"
    path.write_bytes(encode_tiff(FRAME))
    return path


def test_the_child_reads_what_this_process_reads(child: ReadingChild, frame: Path, tmp_path: Path) -> None:
    stack = tmp_path / "stack.npy"
    np.save(stack, np.stack([FRAME, FRAME[::-1]]))
    for path in (frame, stack, SAMPLE):
        for ours, its in zip(read_pictures(path), child.read(path), strict=True):
            np.testing.assert_array_equal(its.pixels, ours.pixels)
            assert its.pixels.dtype == ours.pixels.dtype
            assert (its.unit, its.time, dict(its.tags)) == (ours.unit, ours.time, dict(ours.tags))
            assert (its.page, its.pages, its.name) == (ours.page, ours.pages, ours.name)


def test_one_child_serves_many_files_and_survives_a_refusal(child: ReadingChild, frame: Path, tmp_path: Path) -> None:
    child.read(frame)
    number = child.number
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"bad\.png: not a PNG file"):
        child.read(tmp_path / "bad.png", "bad.png")
    with pytest.raises(DataError, match="cannot be read"):
        child.read(tmp_path / "missing.png")
    child.read(frame)
    assert child.number == number


def test_a_folder_may_be_read_through_a_child(child: ReadingChild, tmp_path: Path) -> None:
    for n in range(3):
        (tmp_path / f"{n}.png").write_bytes(encode_png(FRAME // (n + 1)))
    ours, its = read_folder(tmp_path), read_folder(tmp_path, read=child.read)
    for a, b in zip(ours.images, its.images, strict=True):
        np.testing.assert_array_equal(a.pixels, b.pixels)


def test_a_child_that_hangs_is_ended_and_replaced(frame: Path) -> None:
    with ReadingChild() as child:
        child.read(frame)
        number, child.seconds = child.number, 0.5
        assert number is not None
        os.kill(number, signal.SIGSTOP)
        begin = time.monotonic()
        with pytest.raises(DataError, match=r"frame\.tiff: not decoded within 0\.5 s"):
            child.read(frame)
        assert time.monotonic() - begin < 5
        child.seconds = 30
        np.testing.assert_array_equal(child.read(frame)[0].pixels, FRAME)
        assert child.number != number


def test_a_decoder_that_breaks_down_is_told_of_and_replaced(frame: Path) -> None:
    with ReadingChild() as child:
        child.read(frame)
        number = child.number
        assert number is not None
        os.kill(number, signal.SIGSTOP)
        timer = threading.Timer(0.3, os.kill, (number, signal.SIGKILL))
        timer.start()
        with pytest.raises(DataError, match=r"decoder broke down \(signal 9\)"):
            child.read(frame)
        timer.join()
        np.testing.assert_array_equal(child.read(frame)[0].pixels, FRAME)


def test_after_a_fork_each_process_has_its_own_child(frame: Path) -> None:
    with ReadingChild() as child:
        child.read(frame)
        number = child.number
        other = os.fork()
        if other == 0:  # the forked process must never run the rest of the tests
            code = 1
            try:
                is_right = np.array_equal(child.read(frame)[0].pixels, FRAME) and child.number != number
                code = 0 if is_right else 2
                child.close()
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(other, 0)[1]) == 0
        np.testing.assert_array_equal(child.read(frame)[0].pixels, FRAME)
        assert child.number == number


def test_more_memory_than_allowed_is_refused(tmp_path: Path, frame: Path) -> None:
    (tmp_path / "large.tiff").write_bytes(encode_tiff(np.zeros((6000, 6000), np.uint16)))
    with ReadingChild(memory=2**26) as child:
        with pytest.raises(DataError, match="needs more memory"):
            child.read(tmp_path / "large.tiff")
        np.testing.assert_array_equal(child.read(frame)[0].pixels, FRAME)


def test_the_child_ends_with_its_parent(frame: Path) -> None:
    child = ReadingChild()
    child.read(frame)
    process = child._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(20) == 0
    child.close()


def test_the_child_may_write_no_file(child: ReadingChild, frame: Path) -> None:
    child.read(frame)
    limits = Path(f"/proc/{child.number}/limits")
    if not limits.exists():
        pytest.skip("this system does not tell")
    told = {line[:26].strip(): line[26:].split()[0] for line in limits.read_text().splitlines()}
    assert (told["Max file size"], told["Max core file size"]) == ("0", "0")
    assert told["Max address space"] != "unlimited"
    assert told["Max cpu time"] != "unlimited"
