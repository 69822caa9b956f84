"""Registration: known shifts, rotations and scales come back within their sigmas; what cannot be told is said so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from scipy import ndimage
from tests.job.conftest import machine_of, ring_layers

from layerwatch.images.first_place import Reach, first_place
from layerwatch.images.registration import Registration, register
from layerwatch.job.layout import fill_bed
from layerwatch.job.printing import DefectOrder, JobSettings, print_job
from layerwatch.job.ranges import PRESETS, Interval
from layerwatch.part.raster import coverages
from layerwatch.records import DataError, Island

PIXELS = 128
MM = 480 / PIXELS
LAYER = 20
Rings = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Truth:
    """Where a print lies against its plan, about the middle of the print."""

    x: float = 0.0  # px
    y: float = 0.0
    angle: float = 0.0  # rad, x towards y
    scale: float = 1.0


@cache
def printed(preset: str, seed: int, defect: str = "", pixels: int = PIXELS) -> np.ndarray:
    """A frame of one layer of a job, grey, its outlines where they are planned."""
    machine = machine_of(pixels)
    ranges = replace(PRESETS[preset](), place=Interval(0.0, 0.0))
    orders = (DefectOrder(defect, 8.0, LAYER),) if defect else ()
    job = JobSettings("job", (seed,), machine, fill_bed(ring_layers(), machine), LAYER, 1, ranges, orders)
    (one,) = print_job(job)
    return np.asarray(one.frame / 65535, np.float32)


def plan(change: Rings = lambda ring: ring, pixels: int = PIXELS) -> np.ndarray:
    """Coverage of the printed outlines, each point changed (mm)."""
    machine = machine_of(pixels)
    layers = []
    for one in fill_bed(ring_layers(), machine):
        at, layer = np.array([one.x, one.y]), one.layers[LAYER]
        islands = [Island(change(i.outer + at), tuple(change(h + at) for h in i.holes)) for i in layer.islands]
        layers.append(replace(layer, islands=tuple(islands)))
    return np.asarray(np.clip(coverages(layers, pixels, pixels, 480 / pixels).sum(0), 0, 1), np.float32)


def middle(coverage: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[: coverage.shape[0], : coverage.shape[1]] + 0.5
    return np.asarray(np.array([(coverage * x).sum(), (coverage * y).sum()]) / coverage.sum())


def plan_before(truth: Truth, pixels: int = PIXELS) -> np.ndarray:
    """The plan of which the print is the moved, turned and scaled image."""
    mm = 480 / pixels
    about = middle(plan(pixels=pixels)) * mm
    c, s = np.cos(truth.angle), np.sin(truth.angle)
    back = np.array([[c, s], [-s, c]]) / truth.scale
    return plan(lambda ring: (ring - about) @ back.T + about - mm * np.array([truth.x, truth.y]), pixels)


def misses(found: Registration, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """Error and sigma of shift (px), rotation (rad) and scale."""
    assert found.placed is not None, found.reason
    p = found.placed
    about, pivot = middle(plan()), np.array(p.pivot_mm) / MM
    c, s = np.cos(truth.angle), np.sin(truth.angle)
    there = about + truth.scale * np.array([[c, -s], [s, c]]) @ (pivot - about + np.array([truth.x, truth.y]))
    error = [*(pivot + np.array(p.shift_mm) / MM - there)]
    error += [np.radians(p.rotation_deg) - truth.angle, p.scale - truth.scale]
    sigma = np.sqrt(np.diag(p.covariance)) / np.array([MM, MM, 1, 1])
    return np.array(error), sigma


@pytest.mark.parametrize("preset", ["paper", "physical"])
def test_known_places_come_back_within_their_sigmas_and_without_bias(preset: str) -> None:
    rng, errors, sigmas = np.random.default_rng(5), [], []
    for number in range(16):
        truth = Truth(*rng.uniform([-3, -3, -0.017, 0.99], [3, 3, 0.017, 1.01]).tolist())
        found = register(printed(preset, number // 2), plan_before(truth), MM)
        error, sigma = misses(found, truth)
        errors.append(error)
        sigmas.append(sigma)
    E, S = np.array(errors), np.array(sigmas)
    assert np.abs(E[:, :2].mean(0)).max() < 0.05, "bias in px"
    assert E[:, :2].std(0).max() < 0.1
    assert np.abs(E[:, 2:].mean(0)).max() < 1e-3
    assert (np.abs(E) < 2 * S).mean() > 0.9
    assert (np.abs(E) < 4 * S).all()
    assert np.median(S[:, :2]) < 0.06, "sigmas say something"


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("the other sign", lambda frame: 1 - frame),
        ("a steep gradient", lambda frame: frame + np.linspace(0, 0.4, PIXELS, dtype=np.float32)),
        ("8 bit", lambda frame: np.rint(frame * 255).astype(np.float32) / 255),
        ("another unit", lambda frame: 20 + 45 * frame),
        ("a corner not seen", lambda frame: np.where(np.add.outer(range(PIXELS), range(PIXELS)) < 60, np.nan, frame)),
    ],
)
def test_the_place_does_not_depend_on_how_the_frame_looks(what: str, change: Rings) -> None:
    truth = Truth(1.3, -0.8, 0.006, 1.003)
    before = plan_before(truth)
    plain, _ = misses(register(printed("paper", 0), before, MM), truth)
    found, sigma = misses(register(change(printed("paper", 0)).astype(np.float32), before, MM), truth)
    assert (np.abs(found - plain) < np.maximum(2 * sigma, 1e-3)).all(), what


@pytest.mark.parametrize("defect", ["foreign_object", "missing_swath", "recoater_streak", "bleeding", "short_feed"])
def test_a_defect_on_the_layer_does_not_move_it(defect: str) -> None:
    truth = Truth(-1.1, 2.2)
    error, _ = misses(register(printed("paper", 3, defect), plan_before(truth), MM), truth)
    assert np.hypot(*error[:2]) < 0.15


def test_a_turned_and_a_far_print_are_found_when_looked_for() -> None:
    truth = Truth(17.0, -12.0, np.radians(7.0), 1.04)
    found = register(printed("paper", 1), plan_before(truth), MM, Reach(25.0, 9.0, 0.06))
    error, sigma = misses(found, truth)
    assert (np.abs(error) < 4 * sigma).all()
    near = register(printed("paper", 1), plan_before(truth), MM, Reach(4.0, 1.0, 0.01))
    assert near.placed is None or near.placed.shape.seen < 0.7


def test_the_first_place_is_within_a_few_pixels() -> None:
    truth = Truth(9.0, -6.0)
    coverage = plan_before(truth)
    x, y = middle(coverage)
    place = first_place(
        printed("physical", 0), coverage, np.ones((PIXELS, PIXELS), bool), (x, y), Reach(16.0, 0.0, 0.0)
    )
    np.testing.assert_allclose(place.shift, (9.0, -6.0), atol=1.5)


@pytest.mark.parametrize(("width", "height"), [(2.0, 2.0), (4.0, 3.0), (1.0, 40.0), (60.0, 1.0)])
def test_tiny_parts_and_walls_of_one_pixel(width: float, height: float) -> None:
    fine = np.abs((np.mgrid[:768, :768] + 0.5) / 8 - 48.3)
    coverage = ((fine[1] < width / 2) & (fine[0] < height / 2)).reshape(96, 8, 96, 8).mean((1, 3)).astype(np.float32)
    moved = ndimage.shift(coverage, (0.6, -1.4), order=3, mode="nearest")
    errors, sigmas = [], []
    for seed in range(8):
        noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(96, 96)), 0.7)
        frame = 0.5 - 0.1 * ndimage.gaussian_filter(moved, 0.7) + 0.002 * noise / noise.std()
        found = register(frame.astype(np.float32), coverage, 1.0, Reach(6.0, 2.0, 0.02))
        assert found.placed is not None, found.reason
        errors.append((found.placed.shift_mm[0] + 1.4, found.placed.shift_mm[1] - 0.6))
        sigmas.append(found.placed.shift_sigma_mm)
    E, S = np.array(errors), np.array(sigmas)
    assert min(np.abs(E).max(0)) < 0.25, "across a wall"
    assert np.abs(E).max() < 0.6, "along a wall of one pixel, by its ends alone"
    assert (np.abs(E) < 2.5 * S).mean() > 0.85


def textured(seed: int) -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(PIXELS, PIXELS)), 2.0)
    return np.asarray(0.4 + 0.01 * noise / noise.std(), np.float32)


def test_a_bed_without_a_print_is_never_registered() -> None:
    answers = [register(textured(seed), plan(), MM, Reach(12.0, 2.0, 0.02)) for seed in range(10)]
    assert not [one.placed for one in answers if one.is_placed]
    assert {one.reason.partition(" ")[0] for one in answers} == {"no"}


@pytest.mark.parametrize(
    ("frame", "coverage", "reason"),
    [
        (textured(0), np.zeros((PIXELS, PIXELS), np.float32), "the plan of this layer is empty"),
        (textured(0), np.ones((PIXELS, PIXELS), np.float32), "covers the whole frame"),
        (np.full((PIXELS, PIXELS), 0.4, np.float32), plan(), "uniform"),
        (np.full((PIXELS, PIXELS), np.nan, np.float32), plan(), "shows nothing"),
    ],
)
def test_what_cannot_be_told_has_its_reason(frame: np.ndarray, coverage: np.ndarray, reason: str) -> None:
    found = register(frame, coverage, MM)
    assert found.placed is None
    assert reason in found.reason


def test_a_straight_edge_does_not_tell_the_shift_along_it() -> None:
    coverage = np.zeros((96, 96), np.float32)
    coverage[:, 48:] = 1
    noise = 0.002 * np.random.default_rng(0).normal(size=(96, 96))
    found = register((0.5 - 0.1 * coverage + noise).astype(np.float32), coverage, 1.0, Reach(8.0, 0.0, 0.0))
    assert found.placed is None
    assert "along one direction" in found.reason


def test_a_disc_tells_no_rotation() -> None:
    y, x = np.mgrid[:768, :768] / 8 - 48.2
    disc = (np.hypot(x, y) < 20).reshape(96, 8, 96, 8).mean((1, 3)).astype(np.float32)
    noise = 0.002 * np.random.default_rng(0).normal(size=(96, 96))
    found = register((0.5 - 0.1 * ndimage.gaussian_filter(disc, 0.8) + noise).astype(np.float32), disc, 1.0)
    assert found.placed is not None
    assert np.isnan(found.placed.rotation_deg)
    assert np.hypot(*found.placed.shift_mm) < 0.1


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="the plan is 96 x 128 pixels, the frame 128 x 128"):
        register(textured(0), plan()[:, :96], MM)
    with pytest.raises(DataError, match=r"lies in \[0, 1\]"):
        register(textured(0), plan() * 255, MM)
