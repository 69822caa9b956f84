"""Camera files: corners, targets and lenses are read; what is wrong is named."""

from __future__ import annotations

import json

import numpy as np
import pytest

from layerwatch.images.camera_file import read_camera, read_labelme
from layerwatch.images.lens import Lens
from layerwatch.images.rectify import view_of_corners
from layerwatch.job.machine import read_machine, shipped_text
from layerwatch.records import DataError, UsageError

GOOD = """
[bed]
x = 480
y = 400.0
[camera]
width = 640
height = 480
corners = [[41.2, 30.5], [598.7, 33.1], [630.0, 455.2], [12.4, 450.9]]
"""
CORNERS = [(41.2, 30.5), (598.7, 33.1), (630.0, 455.2), (12.4, 450.9)]


def test_corners_of_a_file_are_the_view_of_the_corners() -> None:
    view = read_camera(GOOD, "camera.toml")
    expected = view_of_corners(CORNERS, (480.0, 400.0), (640, 480))
    np.testing.assert_allclose(view.homography, expected.homography)
    assert (view.bed, view.frame, view.residual) == ((480.0, 400.0), (640, 480), 0.0)
    np.testing.assert_allclose(view.on_frame(np.array([[480.0, 400.0]])), [[630.0, 455.2]], atol=1e-6)


def test_a_target_with_its_lens_fitted() -> None:
    lens = Lens((320.0, 240.0), 400.0, k1=-0.08)
    true = view_of_corners(CORNERS, (480.0, 400.0), (640, 480), lens)
    mm = np.array([[x, y] for x in range(40, 480, 80) for y in range(40, 400, 80)], np.float64)
    rows = np.hstack([mm, true.on_frame(mm)]).tolist()
    head = GOOD.partition("corners")[0] + f"points = {rows}\n"
    fitted = read_camera(head + 'lens = "fit"\n', "camera.toml")
    np.testing.assert_allclose(fitted.on_frame(mm), true.on_frame(mm), atol=1e-3)
    assert read_camera(head, "camera.toml").residual > 0.3
    known = read_camera(head + "lens = {k1 = -0.08, unit = 400.0, centre = [320.0, 240.0]}\n", "camera.toml")
    np.testing.assert_allclose(known.homography, true.homography, rtol=1e-5, atol=1e-7)


def test_a_machine_file_may_hold_the_corners() -> None:
    text = shipped_text() + f"\ncorners = {[list(c) for c in CORNERS]}\n"
    assert text.rstrip().rpartition("[camera]")[2], "the camera is the last section"
    machine, view = read_machine(text, "machine.toml"), read_camera(text, "machine.toml")
    assert view.bed == machine.bed[:2]
    assert view.frame == (machine.width, machine.height)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[bed", "broken TOML"),
        (GOOD.replace("[bed]", "[base]"), r"section \[bed\] is missing"),
        (GOOD.replace("x = 480", "x = 0"), "bed.x = 0"),
        (GOOD.replace("width = 640", 'width = "640"'), "camera.width = '640'"),
        (GOOD.replace("corners", "corner"), "either camera.corners or camera.points"),
        (GOOD.replace("[41.2, 30.5]", "[41.2]"), r"rows of \[x, y\]"),
        (GOOD.replace("[41.2, 30.5]", '["a", 30.5]'), r"rows of \[x, y\]"),
        (GOOD.replace("[41.2, 30.5], [598.7, 33.1]", "[598.7, 33.1], [41.2, 30.5]"), "cross"),
        (GOOD + 'lens = "fit"\n', "do not tell the lens"),
        (GOOD + "lens = {k9 = 1.0}\n", 'give "fit", or a table'),
        (GOOD + 'lens = {k1 = "x"}\n', "something else than numbers"),
        (GOOD + "lens = {unit = 0.0}\n", "impossible number"),
        (GOOD + "lens = {k1 = -3.0}\n", "folds the picture|far behind"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as told:
        read_camera(text, "camera.toml")
    assert str(told.value).startswith("camera.toml")


def labelme(points: list[tuple[float, float]], **more: object) -> bytes:
    shapes = [{"label": str(k), "points": [[x - 1, y], [x + 1, y]]} for k, (x, y) in enumerate(points)]
    return json.dumps({"imageWidth": 640, "imageHeight": 480, "shapes": shapes, **more}).encode()


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 1, 3, 2), (3, 1, 0, 2)])
def test_labelmes_shapes_in_any_order(order: tuple[int, ...]) -> None:
    view = read_labelme(labelme([CORNERS[k] for k in order]), "corners.json", (480.0, 400.0))
    np.testing.assert_allclose(view.homography, view_of_corners(CORNERS, (480.0, 400.0), (640, 480)).homography)


def test_labelmes_files_that_do_not_do() -> None:
    with pytest.raises(UsageError, match="--bed 480x480"):
        read_labelme(labelme(CORNERS), "corners.json", None)
    for data in (b"{", b"[]", labelme(CORNERS[:3]), labelme(CORNERS, shapes=[{"points": []}])):
        with pytest.raises(DataError, match=r"corners\.json"):
            read_labelme(data, "corners.json", (480.0, 400.0))
