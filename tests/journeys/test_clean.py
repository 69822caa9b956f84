"""A history with faults becomes an archive without them; nothing is touched, nothing is silently lost."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layerwatch.images.archive import Archive, encode_tiff
from layerwatch.images.history import learn_gate
from layerwatch.job.machine import default_machine
from layerwatch.job.printing import print_job
from layerwatch.job.shots import shots_of
from layerwatch.journeys.clean import Cleaned, Cleaning, clean
from layerwatch.journeys.examples import example_parts
from layerwatch.journeys.plates import fill_beds, slice_part
from layerwatch.journeys.synthesise import Wish, plan_plates
from layerwatch.records import DataError, Shot, UsageError

BLACK, CUT, LOST = 20, 31, 40


@pytest.fixture(scope="module")
def shots() -> list[tuple[Shot, ...]]:
    machine = default_machine()
    plates = fill_beds([slice_part(example_parts()[0], machine)], machine)
    jobs = plan_plates(plates, machine, Wish(2, 0, 60, seed=3)).values()
    return [shots_of(print_job(job), machine) for job in jobs]


@pytest.fixture(scope="module")
def history(shots: list[tuple[Shot, ...]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two jobs of TIFF files; in the first a frame is black, one is cut, one never came."""
    folder = tmp_path_factory.mktemp("old") / "jobs"
    for number, job in enumerate(shots):
        (folder / f"job{number}").mkdir(parents=True)
        for k, shot in enumerate(job):
            frame = np.zeros_like(shot.frame) if (number, k) == (0, BLACK) else shot.frame
            data = encode_tiff(frame)
            if (number, k) == (0, LOST):
                continue
            path = folder / f"job{number}" / f"{shot.layer:05d}.tiff"
            path.write_bytes(data[: len(data) // 2] if (number, k) == (0, CUT) else data)
    return folder


@pytest.fixture(scope="module")
def cleaned(history: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cleaned]:
    out = tmp_path_factory.mktemp("cleaned") / "out"
    return out, clean(history, out, Cleaning())


def digest(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_faults_are_told_and_the_rest_becomes_an_archive(
    history: Path, shots: list[tuple[Shot, ...]], cleaned: tuple[Path, Cleaned]
) -> None:
    out, found = cleaned
    kinds = {(one.fault.job, one.fault.layer): one.fault.kind for one in found.faults}
    assert kinds["job0", shots[0][BLACK].layer] == "black"
    assert kinds["job0", shots[0][CUT].layer] == "truncated"
    assert kinds["job0", shots[0][LOST].layer] == "dropped"
    archive = Archive.open(out)
    kept = sum(map(len, archive.layers.values()))
    assert kept == found.usable >= 0.95 * found.frames
    assert not {shots[0][k].layer for k in (BLACK, CUT, LOST)} & set(archive.layers["job0"])
    assert archive.image("job1", archive.layers["job1"][7]).plan is None
    told = json.loads((out / "clean.json").read_text())
    assert told["frames"] == found.frames == 119
    assert {row["kind"] for row in told["faults"]} >= {"black", "truncated", "dropped"}
    assert (out / "faults.png").read_bytes()[:4] == b"\x89PNG"
    before = digest(out)
    assert clean(history, out, Cleaning()) == found
    assert digest(out) == before


def test_an_interrupted_call_goes_on_and_no_original_is_touched(
    history: Path, tmp_path: Path, cleaned: tuple[Path, Cleaned]
) -> None:
    def breaks(step: str, done: int, total: int, note: str = "") -> None:
        if step == "clean" and done > 80:
            raise KeyboardInterrupt

    before, wish = digest(history), Cleaning(gate=cleaned[0] / "gate")
    with pytest.raises(KeyboardInterrupt):
        clean(history, tmp_path / "cut", wish, progress=breaks)
    assert not (tmp_path / "cut" / "archive.json").exists()
    found = clean(history, tmp_path / "cut", wish)
    assert found.learnt == str(cleaned[0] / "gate")
    assert found.faults == cleaned[1].faults
    assert digest(tmp_path / "cut" / "frames") == digest(cleaned[0] / "frames")
    assert digest(history) == before


def test_faulty_frames_of_a_history_teach_the_gate_nothing(shots: list[tuple[Shot, ...]]) -> None:
    spoiled = [[_blurred(shot) if k % 12 == 5 else shot for k, shot in enumerate(job)] for job in shots]
    lesson = learn_gate(spoiled)
    assert lesson.shown == 120
    assert 0.85 * 110 <= lesson.learnt <= 110
    gate = lesson.gate.begin("job")
    found = [gate.judge(shot).is_sound for shot in spoiled[1]]
    assert not any(found[5::12])


def _blurred(shot: Shot) -> Shot:
    """Overexposed: everything at the upper end."""
    return replace(shot, frame=np.maximum(shot.frame, np.uint16(65000)))


def test_bad_calls_say_what_to_do(history: Path, tmp_path: Path, cleaned: tuple[Path, Cleaned]) -> None:
    with pytest.raises(UsageError, match="lie in each other"):
        clean(history, history / "out", Cleaning())
    with pytest.raises(UsageError, match="no such folder"):
        clean(tmp_path / "none", tmp_path / "out", Cleaning())
    with pytest.raises(DataError, match="--pattern"):
        clean(history, tmp_path / "out", Cleaning("{job}/L{layer}"))
    for wish, message in (
        (Cleaning(span=(60.0, 20.0)), "lower end first"),
        (Cleaning(span=(float("nan"), 20.0)), "lower end first"),
        (Cleaning(scale="warm"), "no scale"),
        (Cleaning(mm_per_px=0.0), "sizes above 0"),
        (Cleaning("{job}/{shift}"), "give some of"),
        (Cleaning(gate=tmp_path / "none"), "no such folder"),
    ):
        with pytest.raises(UsageError, match=message):
            clean(history, tmp_path / "out", wish)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="other settings"):
        clean(history, cleaned[0], Cleaning(layer_height=0.5))


def test_phases_side_by_side_are_judged_each_by_itself(shots: list[tuple[Shot, ...]], tmp_path: Path) -> None:
    """Two phases of one job in one folder, as different as two jobs; in one of them a layer came twice."""
    folder = tmp_path / "jobs" / "core"
    folder.mkdir(parents=True)
    for phase, job in zip(("printed", "recoated"), shots, strict=True):
        for shot in job:
            (folder / f"{shot.layer:05d}_{phase}.tiff").write_bytes(encode_tiff(shot.frame))
    again = shots[0][30]
    (folder / f"{again.layer:05d}_again.tiff").write_bytes(encode_tiff(again.frame))
    (folder / f"{again.layer:05d}_again.json").write_text(json.dumps({"phase": "printed"}))
    out = tmp_path / "out"
    found = clean(tmp_path / "jobs", out, Cleaning("{job}/{layer}_{phase}"))
    assert found.frames == 121
    archive = Archive.open(out)
    assert archive.jobs == ("core@printed", "core@recoated")
    told = [(one.fault.job, one.fault.layer, one.fault.kind) for one in found.faults]
    assert ("core@printed", again.layer, "duplicated") in told
    assert not [one for one in told if one[2] in ("wrong_order", "wrong_job", "dropped") or one[0] == "core@recoated"]
    for name, job in zip(archive.jobs, shots, strict=True):
        assert len(archive.layers[name]) >= 0.95 * len(job)
    layer = archive.layers["core@recoated"][-1]
    kept = archive.image("core@recoated", layer).pixels
    np.testing.assert_allclose(kept * 65535, next(s.frame for s in shots[1] if s.layer == layer), atol=0.01)


def test_a_history_too_short_to_learn_from_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "jobs" / "a"
    folder.mkdir(parents=True)
    for layer in range(5):
        (folder / f"{layer}.tiff").write_bytes(encode_tiff(np.full((16, 16), 100 * layer, np.uint16)))
    with pytest.raises(DataError, match="at least 40 ordinary ones"):
        clean(tmp_path / "jobs", tmp_path / "out", Cleaning())
    assert not (tmp_path / "out").exists()
