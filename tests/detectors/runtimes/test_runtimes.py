"""Every runtime reads what torch reads, at any batch size; an exported model is a model like any other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from layerwatch import catalogue
from layerwatch.detectors.fanogan import Fanogan
from layerwatch.detectors.networks.graph import onnx_of
from layerwatch.detectors.runtimes.base import Runtime
from layerwatch.detectors.storage.model_files import pack
from layerwatch.journeys import compile as compiling
from layerwatch.journeys.compile import compile_model
from layerwatch.journeys.files import save_model
from layerwatch.journeys.train import load_stored
from layerwatch.records import DataError, UsageError
from layerwatch.testing.images import healthy_images

RUNTIMES = catalogue.names("detectors.runtimes")


@pytest.fixture(scope="module")
def trained() -> Fanogan:
    few = Fanogan(size=32, width=0.125, z_dim=8, batch=8, gan_steps=4, encoder_steps=4, tuning_steps=4)
    return few.fit(healthy_images(20))


@pytest.fixture
def model(trained: Fanogan, tmp_path: Path) -> Path:
    calibration: dict[str, np.ndarray] = {"scores": np.linspace(0, 1, 30), "heat_level": np.ones(3, np.float32)}
    save_model(tmp_path / "model", pack(trained, "fanogan", calibration, {"recipe": "tiny"}))
    return tmp_path / "model"


@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize("count", [1, 3])
def test_a_runtime_reads_what_torch_reads(trained: Fanogan, name: str, count: int) -> None:
    runtime: Runtime = catalogue.load("detectors.runtimes", name)()
    read = runtime.open(onnx_of(trained.graph(), 32))
    X = np.random.default_rng(0).random((count, 1, 32, 32), np.float32)
    found = read(X)
    wanted = catalogue.load("detectors.runtimes", RUNTIMES[0])().open(onnx_of(trained.graph(), 32))(X)
    assert found.features.shape == (count, 2, 64 * 16)
    np.testing.assert_allclose(found.A_R, wanted.A_R, rtol=1e-4)
    np.testing.assert_allclose(found.A_D, wanted.A_D, rtol=1e-4)


@pytest.mark.parametrize("name", RUNTIMES)
def test_an_exported_model_gives_the_same_readings(trained: Fanogan, model: Path, tmp_path: Path, name: str) -> None:
    assert compile_model(model, tmp_path / "fast", name) < 1e-4
    exported = load_stored(tmp_path / "fast")
    images = healthy_images(5, 48)
    for a, b in zip(exported.detector.read(images), trained.read(images), strict=True):
        assert a.score == pytest.approx(b.score, rel=1e-4)
        assert a.heat is not None
        assert b.heat is not None
        np.testing.assert_allclose(a.heat, b.heat, atol=1e-4)
    assert exported.provenance["runtime"] == name
    with pytest.raises(UsageError, match="cannot be trained"):
        exported.detector.fit(images)


def test_a_graph_that_differs_is_refused(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(compiling._BOUNDS, "fp32", 0.0)
    with pytest.raises(DataError, match=r"off by .* of torch's"):
        compile_model(model, tmp_path / "fast", RUNTIMES[0])
    assert not (tmp_path / "fast").exists()


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_precision_that_there_is_not(name: str) -> None:
    with pytest.raises(UsageError, match="fp32"):
        catalogue.load("detectors.runtimes", name)().open(b"", "int2")
