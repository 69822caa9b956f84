from __future__ import annotations

from pathlib import Path

import pytest

from layerwatch.images.writing import check_writable, new_folder, write_file
from layerwatch.records import UsageError


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_file(tmp_path / "deep" / "a.txt", b"old")

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        write_file(tmp_path / "deep" / "a.txt", b"new")
    assert [(p.name, p.read_bytes()) for p in (tmp_path / "deep").iterdir()] == [("a.txt", b"old")]


def test_a_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    def breaks() -> None:
        with new_folder(tmp_path / "job") as folder:
            (folder / "half").write_text("x")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks()
    assert list(tmp_path.iterdir()) == []
    with new_folder(tmp_path / "job") as folder:
        (folder / "whole").write_text("x")
    assert (tmp_path / "job" / "whole").exists()


def test_a_place_that_cannot_be_written_is_refused_before_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="give a place that may be written"):
        check_writable(tmp_path / "file" / "below")
