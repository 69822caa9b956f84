"""The smallest defects that a printer's model finds: kept with the model, told at the start and by the doctor."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwatch.detectors.plan_residual import PlanResidual
from layerwatch.detectors.storage.model_files import pack
from layerwatch.evaluation.courses import Line
from layerwatch.evaluation.metrics import Estimate
from layerwatch.evaluation.pod import Detection, Trial
from layerwatch.inspection.registry import Registry
from layerwatch.inspection.seals import sealed
from layerwatch.inspection.site import Site, read_site
from layerwatch.journeys.commissioning.injections import kinds
from layerwatch.journeys.commissioning.results import Commissioned
from layerwatch.journeys.commissioning.smallest import smallest_of
from layerwatch.journeys.files import save_model
from layerwatch.journeys.serving.smallest import (
    SMALLEST,
    UNKNOWN,
    Found,
    Smallest,
    findings,
    in_words,
    packed,
    read_smallest,
    told_of,
)
from layerwatch.records import DataError
from layerwatch.testing.images import healthy_images

KNOWN = Smallest(
    1.25,
    (
        Found("small spot", 6.0, "mm", 1.2, 0.9, 1.7, "K", 12),
        Found("line along the head's travel", 4.0, "mm", 0.8, None, None, "K", 12),
        Found("shift of the print", None, "mm", None, 8.0, None, "mm", 12),
    ),
)
SITE = """
[site]
name = "hall"
data = "data"

[[printer]]
name = "p1"
model = "{}"

[printer.camera]
kind = "watch_folder"
path = "in"
"""


def stored(folder: Path, known: Smallest | None = KNOWN) -> Path:
    """A small model, with or without the file."""
    detector = PlanResidual().fit(healthy_images(24))
    calibration: dict[str, np.ndarray] = {"scores": np.linspace(0, 1, 20), "heat_level": np.ones(3, np.float32)}
    beside = {} if known is None else {SMALLEST: packed(known)}
    save_model(folder, {**pack(detector, "plan_residual", calibration, {}), **beside})
    return folder


def site_of(folder: Path, model: str) -> Site:
    (folder / "site.toml").write_text(SITE.format(model), encoding="utf-8")
    return read_site(folder / "site.toml")


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    (tmp_path / SMALLEST).write_bytes(packed(KNOWN))
    assert read_smallest(tmp_path) == KNOWN
    (tmp_path / SMALLEST).unlink()
    assert read_smallest(tmp_path) is None


def test_it_is_told_in_mm_and_kelvin() -> None:
    assert in_words(KNOWN, 1.25) == (
        "finds in nine of ten jobs blobs of 6 mm from 1.2 K, lines 4 mm wide along the head's travel from 0.8 K; "
        "does not find shifts of the print up to 8 mm; tried in 12 healthy jobs"
    )
    assert in_words(KNOWN).endswith("with the alarm line at 1.25")
    assert "the alarm line at 1.25, which is 2 now: commission again" in in_words(KNOWN, 2.0)
    other = replace(KNOWN, found=(replace(KNOWN.found[0], defect="streak"),))
    assert in_words(other, 1.25).startswith("finds in nine of ten jobs streak, 6 mm from 1.2 K")


def changed(**more: Any) -> bytes:
    told = json.loads(packed(KNOWN))
    del told["sha256"]
    told["found"][0].update({key: value for key, value in more.items() if key in told["found"][0]})
    return sealed({**told, **{key: value for key, value in more.items() if key not in told["found"][0]}})


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (packed(KNOWN).replace(b"1.2,", b"0.2,"), "SHA-256 differs"),
        (b"{", "SHA-256 differs"),
        (changed(format="layerwatch smallest 9"), "of format 'layerwatch smallest 9'"),
        (changed(line="high"), "wants a line"),
        (changed(found=[]), "wants a line and a list"),
        (changed(found=[{"defect": "spot"}]), "and nothing else"),
        (changed(amount=-1.0), "amount = -1.0 of small spot"),
        (changed(amount=True), "amount = True"),
        (changed(amount=None, low=None), "neither an amount nor"),
        (changed(unit=""), "unit = '' is no text"),
        (changed(jobs=0), "jobs = 0"),
    ],
)
def test_what_cannot_be_is_refused_and_stops_no_service(tmp_path: Path, data: bytes, word: str) -> None:
    (tmp_path / SMALLEST).write_bytes(data)
    with pytest.raises(DataError, match=word):
        read_smallest(tmp_path)
    said = told_of("p1", tmp_path, 1.25)
    assert said.startswith("p1: the smallest defect that is found is not known: ")
    assert word in said
    (found,) = findings(site_of(tmp_path, "."))
    assert (found.word, word in found.text) == ("fail", True)


def test_the_file_travels_with_the_model_into_the_registry(tmp_path: Path) -> None:
    site = site_of(tmp_path, "cores")
    (found,) = findings(site)
    assert (found.name, found.word) == ("smallest defect p1", "warn")
    assert "no model is in force" in found.text
    registry = Registry(site.data)
    for known, word in ((None, "warn"), (KNOWN, "ok")):
        version = registry.add("cores", stored(tmp_path / f"m-{word}", known))
        registry.activate("p1", "cores", version, "Kim")
        (found,) = findings(site)
        assert found.word == word
    assert read_smallest(registry.in_force("p1").path) == KNOWN
    (registry.in_force("p1").path / SMALLEST).write_bytes(packed(replace(KNOWN, line=9.0)))
    with pytest.raises(DataError, match=SMALLEST):
        registry.verify("cores", version)


def test_a_model_without_the_file_is_told(tmp_path: Path) -> None:
    assert told_of("p1", tmp_path, 1.0) == f"p1: {UNKNOWN}"


def test_amounts_are_those_of_commissioning() -> None:
    spot, shift = kinds("y")[0], kinds("y")[-1]
    trials = tuple(Trial(job, 0.1, 1.0) for job in ("a", "b"))
    estimate = Estimate(0.05, float("nan"), float("nan"))
    none = Detection(None, Estimate(np.inf, 4.0, np.inf), Estimate(np.inf, 4.0, np.inf), np.inf)
    told = {spot.name: (trials, Detection(None, estimate, estimate, 1.0)), shift.name: (trials, none)}
    known = Commissioned((), Line(1.5, 0.05), 0.05, 0.01, told, (spot, shift), 40.0, "K", 20.0, (), 2.0, ())
    (name, data), *_ = smallest_of(known, "model").items()
    assert name == f"model/{SMALLEST}"
    assert json.loads(data)["found"] == [
        {"defect": spot.name, "size": 6.0, "length": "mm", "amount": 2.0, "low": None, "high": None, "unit": "K",
         "jobs": 2},
        {"defect": shift.name, "size": None, "length": "mm", "amount": None, "low": 8.0, "high": None, "unit": "mm",
         "jobs": 2},
    ]  # fmt: skip
    assert smallest_of(replace(known, found={}), "model") == {}
