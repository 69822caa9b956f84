from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwatch.images.archive import Archive, Header, StoredLayer, write_archive
from layerwatch.images.shots import encode_shot, read_shot_truths, read_shots, spoiled_jobs, write_shots
from layerwatch.records import DataError, Shot, ShotTruth, Truth, UsageError

FRAME = np.random.default_rng(0).integers(0, 65536, (12, 16), dtype=np.uint16)
SHOTS = (
    Shot("job", 4, 18.0, FRAME),
    Shot("job", 5, 38.0, np.asarray(FRAME // 257, np.uint16), bits=8),
    Shot("job", 5, 38.0, FRAME[:8, :10].copy()),
    Shot("job", 7, 3678.25, FRAME, share=0.6),
)
TRUTHS = (
    ShotTruth("", "job", 4),
    ShotTruth("wrong_depth", "job", 5),
    ShotTruth("wrong_size", "job", 5),
    ShotTruth("dropped", "job", 6, arrived=False),
    ShotTruth("truncated", "job", 7),
)


def planned(layer: int = 4) -> StoredLayer:
    plan = (FRAME > 30000).astype(np.uint8)
    return StoredLayer(
        layer, 0.3 * layer, FRAME, plan, Truth("job", layer, "healthy", np.zeros(plan.shape, bool)), plan
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_shots(tmp_path, "bad-0000", SHOTS, TRUTHS, [planned()])
    stored = read_shots(tmp_path, "bad-0000")
    assert [(s.job, s.layer, s.time, s.data) for s in stored] == [
        (s.job, s.layer, s.time, encode_shot(s)) for s in SHOTS
    ]
    for shot, back in zip(SHOTS[:3], stored[:3], strict=True):
        np.testing.assert_array_equal(back.pixels(), shot.frame)
        assert back.pixels().dtype == (np.uint8 if shot.bits == 8 else np.uint16)
    with pytest.raises(DataError, match=r"00003\.tiff: broken or truncated"):
        stored[3].pixels()
    assert read_shot_truths(tmp_path, "bad-0000") == TRUTHS
    assert sorted(p.name for p in (tmp_path / "plans/bad-0000").iterdir()) == [
        "00004.coverage.png",
        "00004.png",
        "layers.json",
    ]


@pytest.mark.parametrize("share", [0.0001, 0.02, 0.3, 0.9, 0.95])
def test_no_cut_file_can_be_read_by_mistake(tmp_path: Path, share: float) -> None:
    write_shots(tmp_path, "cut", [replace(SHOTS[0], share=share)], [ShotTruth("truncated", "job", 4)])
    with pytest.raises(DataError, match=r"00000\.tiff"):
        read_shots(tmp_path, "cut")[0].pixels()


def test_an_archive_does_not_see_its_spoiled_jobs(tmp_path: Path) -> None:
    write_archive(tmp_path, Header(3.0, (20.0, 60.0)), ["healthy-0"], lambda job: [planned()])
    before = (tmp_path / "archive.json").read_bytes()
    write_shots(tmp_path, "bad-0000", SHOTS, TRUTHS, [planned()])
    archive = Archive.open(tmp_path)
    assert archive.jobs == ("healthy-0",)
    assert len(archive.images()) == len(archive.truths()) == 1
    assert (tmp_path / "archive.json").read_bytes() == before
    assert spoiled_jobs(tmp_path) == ("bad-0000",)


def test_a_job_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="4 shots, but 2 truths"):
        write_shots(tmp_path, "bad", SHOTS, TRUTHS[:2])

    def breaks() -> Iterator[StoredLayer]:
        yield planned()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_shots(tmp_path, "bad", SHOTS, TRUTHS, breaks())
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_the_same_shots_give_the_same_bytes(tmp_path: Path) -> None:
    told = []
    for name in ("a", "b"):
        write_shots(tmp_path / name, "bad", SHOTS, TRUTHS, [planned()])
        told.append({str(p.relative_to(tmp_path / name)): p.read_bytes() for p in (tmp_path / name).rglob("*.*")})
    assert told[0] == told[1]
    digest = hashlib.sha256(b"".join(encode_shot(shot) for shot in SHOTS)).hexdigest()
    assert digest[:16] == "ff9aba1f57cd3b3f"


def test_what_is_not_there_or_broken_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no spoiled job 'bad'; there are: none"):
        read_shots(tmp_path, "bad")
    with pytest.raises(DataError, match=r"bad\.faults\.json: missing or broken"):
        read_shot_truths(tmp_path, "bad")
    write_shots(tmp_path, "bad", SHOTS, TRUTHS)
    with pytest.raises(UsageError, match="there are: bad"):
        read_shots(tmp_path, "worse")
    for text in ("{", "[1]", '[{"file": "../../truth/bad.faults.json", "job": "", "layer": 1, "time": 0}]'):
        (tmp_path / "faults/bad/shots.json").write_text(text)
        with pytest.raises(DataError, match=r"shots\.json: missing or broken"):
            read_shots(tmp_path, "bad")
    rows = json.loads((tmp_path / "truth/bad.faults.json").read_bytes())
    del rows[0]["layer"]
    (tmp_path / "truth/bad.faults.json").write_text(json.dumps(rows))
    with pytest.raises(DataError, match="synthesise a new archive"):
        read_shot_truths(tmp_path, "bad")


@pytest.mark.parametrize("name", ["../../etc", "/etc", "a/b", "", ".."])
def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    for read in (read_shots, read_shot_truths):
        with pytest.raises(UsageError, match="no name of a job"):
            read(tmp_path, name)
