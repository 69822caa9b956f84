"""Everything on every shelf keeps the promises of its shelf; a new file is tested unasked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from layerwatch import catalogue
from layerwatch.images.archive import Archive, Header, StoredLayer, write_archive
from layerwatch.job.machine import default_machine
from layerwatch.records import Truth
from layerwatch.testing import contracts, frames
from layerwatch.testing.images import healthy_image, vectors
from layerwatch.verdict.sides import farther_side

CHECKED: dict[str, Callable[[Any], None]] = {
    "detectors": contracts.check_detector,
    "verdict.clusters": contracts.check_cluster_method,
    "verdict.reductions": contracts.check_reduction,
    "images.gate": frames.check_check,
    "images.readers": contracts.check_reader,
    "part.formats": contracts.check_format,
}
BY_HAND = {
    "crew",
    "detectors.runtimes",
    "job.defects",
    "job.faults",
    "images.exports",
    "inspection.cameras",  # tests/inspection/test_camera_contracts.py
    "inspection.sinks",  # tests/inspection/test_sinks.py
    "inspection.triggers",  # tests/inspection/test_camera_contracts.py
    "journeys.reproduction.claims",
}


def test_every_shelf_has_a_contract() -> None:
    assert set(catalogue.shelves()) == set(CHECKED) | BY_HAND


@pytest.mark.parametrize(("shelf", "name"), [(s, n) for s in CHECKED for n in catalogue.names(s)])
def test_a_thing_keeps_the_contract_of_its_shelf(shelf: str, name: str) -> None:
    CHECKED[shelf](catalogue.load(shelf, name))


@pytest.mark.parametrize("name", catalogue.names("job.defects"))
def test_a_defect_keeps_its_contract(name: str) -> None:
    contracts.check_defect(catalogue.load("job.defects", name), default_machine())


@pytest.mark.parametrize("name", catalogue.names("job.faults"))
def test_a_fault_keeps_its_contract(name: str) -> None:
    contracts.check_fault(catalogue.load("job.faults", name), default_machine())


@pytest.mark.parametrize("name", catalogue.names("journeys.reproduction.claims"))
def test_a_claim_says_what_and_where(name: str) -> None:
    kind = catalogue.load("journeys.reproduction.claims", name)
    contracts.check_thing(kind, kind.__mro__[1])
    assert "section" in kind.source or "Table" in kind.source


@pytest.mark.parametrize("name", catalogue.names("images.exports"))
def test_an_export_keeps_its_contract(name: str, tmp_path: Path) -> None:
    contracts.check_export(catalogue.load("images.exports", name), small_archive(tmp_path / "archive"))


@given(vectors())
@settings(max_examples=30, deadline=None)
def test_which_side_is_farther_does_not_depend_on_their_numbers(X: np.ndarray) -> None:
    labels = (np.arange(len(X)) % 2).astype(np.int64)
    a, b = farther_side(X, labels), farther_side(X, 1 - labels)
    assert {a, b} <= {0, 1}
    assert a == 1 - b or np.isclose(X[labels == 0].mean(), X[labels == 1].mean(), rtol=1e-3)


class Broken(catalogue.load("verdict.clusters", "otsu")):  # type: ignore[misc] # loaded by name
    """A method that calls everything healthy."""

    def predict(self, X: np.ndarray) -> np.ndarray:
        return np.zeros(len(X), bool)


def test_a_contract_can_fail() -> None:
    with pytest.raises(AssertionError, match="two far sides must be told apart better"):
        contracts.check_cluster_method(Broken)


def small_archive(folder: Path) -> Archive:
    def printed(job: str) -> Iterator[StoredLayer]:
        for layer in range(3):
            image = healthy_image(hash_of(job) + layer, 32)
            bad = job.startswith("shift") and layer == 1
            mask = np.zeros((32, 32), bool)
            mask[4:9, 4:9] = bad
            frame = (image.pixels * 65535).astype(np.uint16)
            truth = Truth(job, layer, "shift" if bad else "healthy", mask)
            yield StoredLayer(layer, 0.3 * (layer + 1), frame, np.asarray(image.plan), truth)

    return write_archive(folder, Header(3.0, (20.0, 60.0)), ["healthy-0", "healthy-1", "healthy-2", "shift-0"], printed)


def hash_of(job: str) -> int:
    return sum(map(ord, job))
