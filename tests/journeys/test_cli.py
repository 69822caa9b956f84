"""The command line on good and on bad input: one clear line, the right exit code, nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import layerwatch
from layerwatch import cli
from layerwatch.part.formats.stl import Stl
from layerwatch.part.mesh import Mesh
from layerwatch.testing.images import healthy_image, spoiled_image

RATE = ("--false-alarm-rate", "0.1")


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Call the command as a user would; exit code, standard output, standard error."""
    before = sys.argv
    sys.argv = ["layerwatch", *map(str, words)]
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        sys.argv = before
    told = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, told.out, told.err


def refused(capsys: pytest.CaptureFixture[str], words: Sequence[object], code: int, *said: str) -> None:
    """One line, the exit code, the words in it, and no traceback."""
    found, _, error = run(capsys, *words)
    last = error.strip().splitlines()[-1]
    assert found == code, error
    assert "Traceback" not in error
    assert last.startswith("layerwatch: ")
    for word in said:
        assert word in last, last


def box(path: Path, x: float = 120.0, y: float = 80.0, z: float = 12.0) -> Path:
    """A box as a binary STL."""
    c = np.array([[i & 1, i >> 1 & 1, i >> 2 & 1] for i in range(8)], float) * (x, y, z)
    quads = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    triangles = np.array([c[[q[0], q[i], q[i + 1]]] for q in quads for i in (1, 2)])
    path.write_bytes(Stl().write_mesh(Mesh(triangles)))
    return path


def images(folder: Path, count: int, *, first: int = 0, bad: bool = False, size: int = 32) -> Path:
    """A folder of 16-bit PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        image = healthy_image(number, size)
        pixels = (spoiled_image(image) if bad else image).pixels
        Image.fromarray((pixels * 65535).astype(np.uint16)).save(folder / f"layer{number:04d}.png")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PCA model of a folder of images."""
    folder = tmp_path_factory.mktemp("model")
    data, out = images(folder / "data" / "good", 60), folder / "pca"
    subprocess.run(
        [sys.executable, "-m", "layerwatch", "train", str(data), "--detector", "pca", "--out", str(out)],
        check=True,
        capture_output=True,
    )
    return out


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"layerwatch {layerwatch.__version__}\n", "")
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for verb in ("slice", "synthesise", "train", "evaluate", "inspect", "export", "demo"):
        assert verb in out
        told = run(capsys, verb, "--help")
        assert told[0] == 0
        assert "Example: layerwatch " + verb in told[1]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['layerwatch', '--help']\nfrom layerwatch import cli\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        "print([m for m in ('numpy', 'torch', 'scipy', 'sklearn', 'matplotlib', 'rich') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "[]"


def test_nothing_given_shows_the_help_and_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys)
    assert code == 2
    assert "Commands:" in out


def test_wrong_calls(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    refused(capsys, ["slize"], 2, "No such command")
    refused(capsys, ["train", tmp_path, "--wrong"], 2, "No such option")
    refused(
        capsys, ["train", tmp_path, "--detector", "magic"], 2, "no 'magic' among detectors; there are: anogan, fanogan"
    )
    refused(capsys, ["train", tmp_path, "--recipe", "magic"], 2, "no recipe 'magic'; there are: quick")
    refused(capsys, ["slice", tmp_path / "none.stl"], 2, "none.stl: no such file")
    refused(capsys, ["slice", box(tmp_path / "box.stl"), "--unit", "furlong"], 2, "no unit 'furlong'")
    refused(capsys, ["slice", tmp_path / "box.stl", "--format", "stl"], 2, "cannot be written as stl")


def test_slice_writes_layers_and_says_what_was_guessed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "layers"
    code, told, _ = run(capsys, "slice", box(tmp_path / "box.stl"), "--layer-height", "0.5", "--out", out)
    assert code == 0
    assert "unit guessed: mm" in told
    described = json.loads((out / "slice.json").read_text())
    assert len(described["layers"]) == 24
    assert described["layers"][3] == {"z": 2.0, "slice_z": 1.75, "area_mm2": 9600.0, "contours": 1, "leaks": 0}
    assert (out / "box.svg").read_text().count("<g ") == 24


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("note.stl", b"this is a text and no part, however long it may be. " * 4, "not an STL file"),
        ("empty.stl", b"", "the file is empty"),
        ("hollow.stl", bytes(84), "without triangles"),
    ],
)
def test_what_is_no_stl_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    for words in (
        ["slice", tmp_path / name, "--out", tmp_path / "o"],
        ["synthesise", "--part", tmp_path / name, "--out", tmp_path / "o"],
    ):
        refused(capsys, words, 1, name, said)
        assert not (tmp_path / "o").exists()


def test_a_truncated_stl_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    whole = box(tmp_path / "box.stl").read_bytes()
    (tmp_path / "cut.stl").write_bytes(whole[: len(whole) // 2])
    refused(
        capsys, ["slice", tmp_path / "cut.stl", "--out", tmp_path / "o"], 1, "cut.stl: truncated STL", "copy it again"
    )
    assert not (tmp_path / "o").exists()


def test_a_part_thinner_than_a_layer_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    thin = box(tmp_path / "thin.stl", z=0.2)
    refused(capsys, ["slice", thin, "--out", tmp_path / "o"], 1, "0.2 mm high, less than one layer of 0.3 mm")
    refused(capsys, ["synthesise", "--part", thin, "--out", tmp_path / "o"], 1, "less than one layer")
    refused(capsys, ["slice", thin, "--layer-height", "0", "--out", tmp_path / "o"], 2, "above 0 and below 1000")
    refused(capsys, ["slice", thin, "--layer-height", "1e-9", "--out", tmp_path / "o"], 1, "more than 200,000")
    assert not (tmp_path / "o").exists()


def test_a_part_shorter_than_a_job_is_cut_into_thinner_layers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    part, out = box(tmp_path / "box.stl", z=2.0), tmp_path / "o"
    code, said, _ = run(capsys, "synthesise", "--part", part, "--jobs", 1, "--defective", 0, "--out", out)
    assert code == 0
    assert "7 layers of 0.3 mm; cut into 10 equally spaced ones of 0.2 mm" in said
    heights = [row["z"] for row in json.loads((out / "archive.json").read_bytes())["jobs"]["healthy-0000"]]
    assert np.allclose(heights, 0.2 * np.arange(1, 11))


def test_no_images_in_the_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no image")
    for words in (["train", tmp_path / "empty"], ["evaluate", model, tmp_path / "empty"]):
        refused(capsys, words, 1, "no image in this folder", ".png")
    refused(capsys, ["inspect", tmp_path / "empty", "--model", model], 1, "no image in this folder")
    refused(capsys, ["train", tmp_path / "gone"], 2, "no such folder")


def test_images_of_mixed_sizes_are_refused_by_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    images(images(tmp_path / "mixed", 12), 1, first=90, size=40)
    refused(
        capsys,
        ["train", tmp_path / "mixed", "--detector", "pca", "--out", tmp_path / "m"],
        1,
        "mixed sizes",
        "layer0000.png is 32 x 32",
        "layer0090.png is 40 x 40",
    )
    refused(capsys, ["train", images(tmp_path / "few", 4), "--detector", "pca", "--out", tmp_path / "m"], 1, "too few")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["few", "mixed"]


def test_a_corrupt_png_among_good_ones_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path
) -> None:
    folder = images(tmp_path / "frames", 12)
    whole = (folder / "layer0005.png").read_bytes()
    (folder / "layer0005.png").write_bytes(whole[: len(whole) // 2])
    refused(capsys, ["train", folder, "--detector", "pca", "--out", tmp_path / "m"], 1, "layer0005.png")
    assert not (tmp_path / "m").exists()
    code, out, _ = run(
        capsys, "inspect", folder, "--model", model, "--out", tmp_path / "v.jsonl", "--false-alarm-rate", "0.1"
    )
    verdicts = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert code == 0
    assert "12 layers: " in out
    assert [v["word"] == "FAULT" for v in verdicts].index(True) == 5
    assert "layer0005.png" in verdicts[5]["reason"]


def test_a_model_with_one_flipped_byte_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path
) -> None:
    frames = images(tmp_path / "frames", 3)
    for file in ("weights.safetensors", "model.json"):
        broken = tmp_path / f"broken-{file}"
        shutil.copytree(model, broken)
        data = bytearray((broken / file).read_bytes())
        data[len(data) // 2] ^= 1
        (broken / file).write_bytes(bytes(data))
        refused(capsys, ["inspect", frames, "--model", broken, "--out", tmp_path / "v"], 1, file, "train again")
        assert not (tmp_path / "v").exists()
    refused(capsys, ["inspect", frames, "--model", tmp_path / "none"], 2, "no such folder")
    refused(capsys, ["inspect", frames, "--model", frames], 1, "is missing; a model is a folder with")


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root may write anywhere")
def test_an_output_folder_without_write_permission(tmp_path: Path) -> None:
    closed, part = tmp_path / "closed", box(tmp_path / "box.stl")
    data = images(tmp_path / "data", 12)
    closed.mkdir()
    closed.chmod(0o555)
    for path in (tmp_path, *tmp_path.parents[:3]):
        path.chmod(path.stat().st_mode | 0o055)
    part.chmod(0o644)
    for words in (
        ["slice", str(part), "--out", str(closed / "o")],
        ["synthesise", "--part", str(part), "--out", str(closed / "o")],
        ["train", str(data), "--detector", "pca", "--out", str(closed / "o")],
        ["demo", "--part", str(part), "--out", str(closed / "o")],
    ):
        told = subprocess.run([*as_nobody(), *words], capture_output=True, text=True, check=False)
        assert told.returncode == 2, told.stderr
        last = told.stderr.strip().splitlines()[-1]
        assert last.startswith("layerwatch: cannot write ")
        assert "Traceback" not in told.stderr
    assert not list(closed.iterdir())


def as_nobody() -> list[str]:
    """The command, without root's right to write anywhere."""
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    return [*drop, sys.executable, "-m", "layerwatch"]


def test_results_never_overwrite_what_they_are_made_from(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path
) -> None:
    frames = images(tmp_path / "frames", 3)
    before = {path: path.read_bytes() for folder in (frames, model) for path in folder.iterdir()}
    for out in (frames / "layer0001.png", model / "model.json"):
        refused(
            capsys, ["inspect", frames, "--model", model, "--false-alarm-rate", "0.1", "--out", out], 2, "lies inside"
        )
    refused(capsys, ["evaluate", model, frames, *RATE, "--out", model / "x.json"], 2, "lies inside")
    refused(capsys, ["evaluate", model, frames, "--false-alarm-rate", "0.1", "--out", "/dev/full"], 2, "no plain file")
    refused(capsys, ["train", frames, "--detector", "pca", "--out", model], 2, "holds a model already", "--overwrite")
    assert before == {path: path.read_bytes() for folder in (frames, model) for path in folder.iterdir()}


def test_frames_of_another_size_are_no_layers_to_judge(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path
) -> None:
    frames = images(images(tmp_path / "frames", 3), 2, first=10, size=40)
    for gate, said in (
        ((), "40 x 40 pixels instead of 32 x 32"),
        (("--no-gate",), "40 x 40 pixels, the model was trained on 32 x 32"),
    ):
        code, out, _ = run(capsys, "inspect", frames, "--model", model, "--false-alarm-rate", "0.1", *gate)
        assert code == 0
        assert "2 FAULT" in out
        assert said in out
    images(tmp_path / "set" / "good", 9, size=40)
    images(tmp_path / "set" / "bad", 9, size=40)
    refused(
        capsys,
        ["evaluate", model, tmp_path / "set", "--false-alarm-rate", "0.1"],
        1,
        "the model was trained on 32 x 32",
    )


def test_plans_are_asked_for_where_they_are_needed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = images(tmp_path / "data", 12)
    refused(capsys, ["train", data, "--detector", "plan_residual", "--out", tmp_path / "m"], 2, "needs plans")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_shipped_machine_file_can_be_printed_and_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(capsys, "machine")
    assert code == 0
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + out.encode())  # as Windows' editor writes it
    words = ["slice", box(tmp_path / "box.stl"), "--machine", tmp_path / "mine.toml", "--out", tmp_path / "o"]
    assert run(capsys, *words)[0] == 0


def test_exit_codes_of_inspect(capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path) -> None:
    bad = images(images(tmp_path / "bad", 6, first=300), 3, first=306, bad=True)
    rate = ["--false-alarm-rate", "0.1"]
    code, out, _ = run(capsys, "inspect", bad, "--model", model, *rate)
    assert code == 0
    assert "9 layers: " in out
    assert run(capsys, "inspect", bad, "--model", model, *rate, "--fail-on-nok")[0] == 3
    refused(
        capsys, ["inspect", bad, "--model", model, "--false-alarm-rate", "0.01"], 1, "cannot promise", "99 are needed"
    )
    refused(capsys, ["inspect", bad, "--model", model, "--false-alarm-rate", "5"], 2, "between 0 and 1")


def test_evaluate_needs_both_sides_and_names_its_folders(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, model: Path
) -> None:
    images(tmp_path / "set" / "good", 10, first=500)
    images(tmp_path / "set" / "spot", 10, first=600, bad=True)
    out = tmp_path / "figures.json"
    code, told, _ = run(capsys, "evaluate", model, tmp_path / "set", "--false-alarm-rate", "0.1", "--out", out)
    assert code == 0
    assert "spot" in told
    figures = json.loads(out.read_text())
    value, low, high = figures["auroc"]["spot"]
    assert low <= value <= high
    assert value > 0.9
    refused(
        capsys, ["evaluate", model, tmp_path / "set", "--good", "fine"], 2, "no sub-folder of healthy images", "--good"
    )
    refused(capsys, ["evaluate", model, tmp_path / "set" / "good", "--good", "."], 2, "healthy images")


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_call_says_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, stop: signal.Signals, code: int
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    ctrl_c = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background process is started without it
    monkeypatch.setattr("layerwatch.journeys.files.shipped_text", lambda name: os.kill(os.getpid(), stop))
    try:
        refused(capsys, ["machine"], code, "interrupted; run the same command again")
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, ctrl_c)


def test_what_cannot_be_printed_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "layerwatch.cli", "machine"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert done.stderr.startswith("layerwatch: cannot write what is to be said (No space left on device)")
    assert done.stderr.count("\n") == 1


def test_an_unknown_crew_is_refused_for_one_worker_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["synthesise", "--part", box(tmp_path / "box.stl"), "--out", tmp_path / "a", "--crew", "xyz"]
    refused(capsys, [*words, "--workers", "1"], 2, "no 'xyz' among crew", "inline")


def test_a_part_thinner_than_a_pixel_is_refused_before_anything_is_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    needle = box(tmp_path / "needle.stl", 0.01, 0.01, 20.0)
    words = ["--part", needle, "--unit", "mm", "--out", tmp_path / "a"]
    for verb in (["synthesise", "--workers", "1"], ["contact-sheet"]):
        refused(capsys, [*verb, *words], 1, "needle", "fills a pixel", "finer camera")
    layout = tmp_path / "job.toml"
    layout.write_text('[[part]]\nfile = "needle.stl"\nunit = "mm"\nx = 100.0\ny = 100.0\n')
    refused(capsys, ["synthesise", "--layout", layout, "--out", tmp_path / "a"], 1, "fills a pixel")
    assert not (tmp_path / "a").exists()


def test_layers_take_no_unit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sliced = Path(__file__).parents[1] / "parts" / "torus_sliced.3mf"
    for verb in ("synthesise", "contact-sheet"):
        words = [verb, "--part", sliced, "--unit", "inch", "--out", tmp_path / "a"]
        refused(capsys, words, 2, "layers are in mm")


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    part = box(tmp_path / "box.stl")
    words = [sys.executable, "-m", "layerwatch.cli"]
    made = f"synthesise --part {part} --jobs 2 --defective 0 --workers 1 --out {tmp_path / 'a'}"
    subprocess.run([*words, *made.split()], check=True, capture_output=True)
    script = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); "
    script += "sys.argv[0] = 'layerwatch'; from layerwatch.cli import main; main()"
    for verb in (
        ["export", tmp_path / "a", "--to", "peregrine", "--out", tmp_path / "b" / "p"],
        ["slice", part, "--format", "masks", "--mm-per-px", "0.03", "--out", tmp_path / "b" / "s"],
    ):
        done = subprocess.run([sys.executable, "-c", script, *map(str, verb)], capture_output=True, text=True)
        assert done.returncode == 2, done.stderr
        assert done.stderr.strip().splitlines()[-1].startswith("layerwatch: cannot write ")
        assert "File too large" in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "b").exists()
