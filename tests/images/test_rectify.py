"""Rectification: a virtual tilted camera undone, temperatures kept, corners that fix no bed refused."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from tests.job.conftest import ring_layers

from layerwatch.images.homography import mapped
from layerwatch.images.lens import Lens
from layerwatch.images.rectify import CameraView, view_of_corners, view_of_points
from layerwatch.job.layout import fill_bed
from layerwatch.job.machine import read_machine, shipped_text
from layerwatch.job.printing import JobSettings, print_job
from layerwatch.job.ranges import PRESETS
from layerwatch.job.view import View
from layerwatch.records import DataError

CORNERS = [(51.0, 30.5), (590.0, 20.0), (625.0, 385.0), (17.5, 380.0)]


def bed_image(rows: int = 250, columns: int = 400) -> np.ndarray:
    """A smooth bed with a warm part, degC."""
    y, x = np.mgrid[:rows, :columns]
    image = 30 + 4 * np.sin(x / 45) + 3 * np.cos(y / 35)
    image[75:175, 125:300] += 5
    return np.asarray(ndimage.gaussian_filter(image, 2.0), np.float32)


def photographed(view: CameraView, image: np.ndarray, mm_per_px: float) -> np.ndarray:
    """The bed through the camera: each pixel of the frame is the mean of 3 x 3 places in it."""
    width, height = view.frame
    offsets = (np.arange(3) + 0.5) / 3
    total = np.zeros((height, width))
    for dy in offsets:
        for dx in offsets:
            x, y = np.meshgrid(np.arange(width) + dx, np.arange(height) + dy)
            at = mapped(np.linalg.inv(view.homography), np.stack([x, y], -1)) / mm_per_px - 0.5
            total += ndimage.map_coordinates(image, (at[..., 1], at[..., 0]), order=1, mode="nearest")
    return np.asarray(total / 9, np.float32)


@pytest.mark.parametrize("mm_per_px", [2.0, 5.0, 8.0])
def test_there_and_back_keeps_the_temperatures(mm_per_px: float) -> None:
    view, image = view_of_corners(CORNERS, (800.0, 500.0), (640, 400)), bed_image()
    back = view.rectified(photographed(view, image, 2.0), mm_per_px)
    rows, columns = back.shape
    if mm_per_px == 2.0:
        expected = image
    else:
        factor = mm_per_px / 2
        y, x = (np.arange(rows) + 0.5) * factor - 0.5, (np.arange(columns) + 0.5) * factor - 0.5
        smooth = ndimage.uniform_filter(image, round(factor))
        expected = ndimage.map_coordinates(smooth, np.meshgrid(y, x, indexing="ij"), order=1)
    inner = (slice(2, -2), slice(2, -2))
    assert back[inner].mean() == pytest.approx(float(expected[inner].mean()), abs=0.01)
    assert np.abs(back - expected)[inner].mean() < 0.05
    assert np.abs(back - expected)[inner].max() < 1.5, "only the part's edge is a little softer"


def test_corners_of_the_virtual_camera_give_back_its_bed() -> None:
    machine = read_machine(shipped_text("tilted_camera"), "tilted")
    job = JobSettings("job", (1,), machine, fill_bed(ring_layers(), machine), 20, 1, PRESETS["paper"]())
    (printed,) = print_job(job)
    x, y = machine.bed[:2]
    seen = mapped(View(machine).homography, np.array([[0, 0], [x, 0], [x, y], [0, y]]))
    corners = [(float(a), float(b)) for a, b in seen]
    view = view_of_corners(corners, (x, y), (machine.width, machine.height))
    coverage = view.rectified(printed.coverage, machine.mm_per_px) / 255
    flat = JobSettings("job", (1,), replace(machine, tilt=0.0), job.instances, 20, 1, PRESETS["paper"]())
    (straight,) = print_job(flat)
    assert coverage.shape == straight.coverage.shape
    off = np.abs(coverage - straight.coverage / 255)
    assert np.nanmean(off) < 0.02
    assert np.nanmean(coverage) == pytest.approx(straight.coverage.mean() / 255, rel=0.01)


@given(st.floats(1, 799), st.floats(1, 499))
def test_points_go_to_the_frame_and_back(x: float, y: float) -> None:
    lens = Lens((320.0, 200.0), 377.0, k1=-0.08, p1=0.001)
    view = view_of_corners(CORNERS, (800.0, 500.0), (640, 400), lens)
    point = np.array([[x, y]])
    np.testing.assert_allclose(view.on_bed(view.on_frame(point)), point, atol=1e-5)
    np.testing.assert_allclose(view.on_frame(np.array([[800.0, 500.0]])), [CORNERS[2]], atol=1e-6)


def test_a_distorting_lens_is_taken_out() -> None:
    lens = Lens((320.0, 200.0), 377.0, k1=-0.1)
    view = view_of_corners([(75, 45), (565, 40), (580, 360), (55, 365)], (800.0, 500.0), (640, 400), lens)
    x, y = np.meshgrid(np.linspace(0, 800, 9), np.linspace(0, 500, 6))
    points = np.stack([x.ravel(), y.ravel()], 1)
    found = view_of_points(points, view.on_frame(points), (800.0, 500.0), (640, 400), fit_lens=True)
    np.testing.assert_allclose(found.on_frame(points), view.on_frame(points), atol=1e-3)
    lined = np.zeros((400, 640), np.float32)
    edge = view.on_frame(np.stack([np.full(4000, 400.0), np.linspace(0, 500, 4000)], 1)).astype(int)
    lined[edge[:, 1], edge[:, 0]] = 1.0
    straight = found.rectified(lined, 2.0)
    columns = straight[10:-10].argmax(1)
    assert np.ptp(columns) <= 2, "a line of the bed that the lens bends is straight again"
    assert abs(columns.mean() - 200) < 1.0


def test_more_frames_cost_little_and_a_large_one_less_than_a_second() -> None:
    view = view_of_corners([(627, 165), (4168, 192), (4444, 3622), (350, 3618)], (184.0, 184.0), (5472, 3648))
    frame = np.random.default_rng(0).integers(0, 255, (3648, 5472)).astype(np.uint8)
    start = time.process_time()
    first = view.rectified(frame, 0.5)
    between = time.process_time()
    again = view.rectified(frame, 0.5)
    end = time.process_time()
    np.testing.assert_array_equal(first, again)
    assert between - start < 1.0
    assert end - between < 0.3


def test_the_frame_of_another_camera_is_refused_by_name() -> None:
    view = view_of_corners(CORNERS, (800.0, 500.0), (640, 400))
    with pytest.raises(DataError, match="layer7: 320 x 240 pixels, the corners were taken in a frame of 640 x 400"):
        view.rectified(np.zeros((240, 320), np.uint8), 1.0, name="layer7")


@pytest.mark.parametrize("size", [0.0, -1.0, np.nan, 1e-4, 500.0])
def test_impossible_pixels_are_refused(size: float) -> None:
    with pytest.raises(DataError, match=r"mm per pixel|--mm-per-px"):
        view_of_corners(CORNERS, (800.0, 500.0), (640, 400)).grid(size)


@pytest.mark.parametrize(
    ("corners", "bed", "message"),
    [
        (CORNERS[:3], (800.0, 500.0), "3 corners"),
        ([CORNERS[0], CORNERS[2], CORNERS[1], CORNERS[3]], (800.0, 500.0), "cross"),
        ([(0, 0), (10, 0), (20, 0), (5, 9)], (800.0, 500.0), "cross or three lie on a line"),
        (CORNERS, (0.0, 500.0), "above 0"),
        ([(0, 0), (1000, 0), (501, 400), (499, 400)], (800.0, 500.0), "far behind"),
    ],
)
def test_corners_that_fix_no_bed_are_refused(
    corners: list[tuple[float, float]], bed: tuple[float, float], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        view_of_corners(corners, bed, (640, 400))


def test_a_mirrored_view_is_a_view() -> None:
    corners = [(640 - x, y) for x, y in CORNERS]
    view = view_of_corners(corners, (800.0, 500.0), (640, 400))
    image = bed_image()
    plain = view_of_corners(CORNERS, (800.0, 500.0), (640, 400))
    frame = photographed(plain, image, 2.0)
    np.testing.assert_allclose(view.rectified(frame[:, ::-1].copy(), 5.0), plain.rectified(frame, 5.0), atol=1e-3)
