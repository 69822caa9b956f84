"""A camera file in TOML, or labelme's JSON of clicked corners -> the camera's view of the bed.

::

    [bed]
    x = 480.0                       # mm
    y = 480.0
    [camera]
    width = 640                     # px of the frames in which the corners were clicked
    height = 480
    corners = [[41.2, 30.5], ...]   # px, of the bed's (0, 0), (x, 0), (x, y), (0, y)
    points = [[0, 0, 41.2, 30.5], ...]   # or a target: x, y on the bed in mm, x, y in the frame in px
    lens = "fit"                    # or {k1 = -0.1, k2 = 0.0, p1 = 0.0, p2 = 0.0, unit = 400.0, centre = [320, 240]}

A machine file that holds these lines in its own [bed] and [camera] does as well; its other sections are not looked at.
"""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float64

from layerwatch.images.lens import Lens
from layerwatch.images.rectify import CameraView, view_of_corners, view_of_points
from layerwatch.records import DataError, UsageError, plainly

_LENS = ("k1", "k2", "p1", "p2", "unit", "centre")
_HOW = "click the corners with the page that `layerwatch corners` writes"


def read_camera(text: str, name: str) -> CameraView:
    """Read a camera file.

    Raises:
        DataError: broken TOML, a missing or impossible key, which is named, or points that fix no view.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: broken TOML ({error}); {_HOW}") from None
    bed, camera = (_table(told, section, name) for section in ("bed", "camera"))
    size = (_number(bed, "x", "bed", name), _number(bed, "y", "bed", name))
    frame = (_whole(camera, "width", name), _whole(camera, "height", name))
    if ("corners" in camera) == ("points" in camera):
        raise DataError(f"{name}: give either camera.corners or camera.points; {_HOW}")
    lens, fit_lens = _lens(camera.get("lens"), frame, name)
    try:
        if "points" in camera:
            rows = _rows(camera["points"], 4, "points", name)
            return view_of_points(rows[:, :2], rows[:, 2:], size, frame, lens, fit_lens=fit_lens)
        if fit_lens:
            raise DataError('four corners do not tell the lens; give camera.points of a target for lens = "fit"')
        corners = [(float(x), float(y)) for x, y in _rows(camera["corners"], 2, "corners", name)]
        return view_of_corners(corners, size, frame, lens)
    except DataError as error:
        raise error if str(error).startswith(name) else DataError(f"{name}: {error}") from None


def read_labelme(data: bytes, name: str, bed: tuple[float, float] | None) -> CameraView:
    """Read four shapes that labelme marked, each around or at one corner; the upper left one is the bed's (0, 0).

    Args:
        data: the JSON file.
        name: of the file, for messages.
        bed: mm, x and y, which labelme does not know.

    Raises:
        UsageError: no size of the bed.
        DataError: broken, or not four shapes.
    """
    if bed is None:
        raise UsageError(f"{name} says nothing of the bed's size; give it in mm with --bed, such as --bed 480x480")
    try:
        told = json.loads(data)
        frame = (int(told["imageWidth"]), int(told["imageHeight"]))
        marks = [np.array(s["points"], np.float64).reshape(-1, 2) for s in told["shapes"]]
        middles = np.array([mark.mean(0) for mark in marks if len(mark)])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{name}: no labelme file ({plainly(error)}); {_HOW}") from None
    if middles.shape != (4, 2) or not np.isfinite(middles).all():
        raise DataError(f"{name}: {len(middles)} shapes; mark the four corners of the bed, and nothing else")
    around = np.arctan2(*(middles - middles.mean(0)).T[::-1])
    order = np.argsort(around)  # clockwise as seen, since y points down
    first = int(np.argmin(middles[order].sum(1)))
    corners = [(float(x), float(y)) for x, y in middles[np.roll(order, -first)]]
    try:
        return view_of_corners(corners, bed, frame)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None


def _table(told: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    found = told.get(section)
    if not isinstance(found, dict):
        raise DataError(f"{name}: section [{section}] is missing; {_HOW}")
    return found


def _number(table: dict[str, Any], key: str, section: str, name: str) -> float:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value <= 0:
        raise DataError(f"{name}: {section}.{key} = {value!r}; give a number above 0")
    return float(value)


def _whole(table: dict[str, Any], key: str, name: str) -> int:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 8 <= value <= 65536:
        raise DataError(f"{name}: camera.{key} = {value!r}; give the frames' pixels as a whole number, 8 or more")
    return value


def _rows(told: object, width: int, key: str, name: str) -> Float64[np.ndarray, "n k"]:
    what = "[x, y] in px" if width == 2 else "[x mm, y mm, x px, y px]"
    try:
        rows = np.array(told, np.float64)
    except (ValueError, TypeError):
        raise DataError(f"{name}: camera.{key} holds something else than rows of {what}") from None
    if rows.ndim != 2 or rows.shape[1] != width or not np.isfinite(rows).all():
        raise DataError(f"{name}: camera.{key} holds something else than rows of {what}")
    return rows


def _lens(told: object, frame: tuple[int, int], name: str) -> tuple[Lens, bool]:
    """The lens that is told, and whether it is to be fitted."""
    lens = Lens.ideal(*frame)
    if told is None or told == "fit":
        return lens, told == "fit"
    if not isinstance(told, dict) or told.keys() - set(_LENS):
        raise DataError(f'{name}: camera.lens = {told!r}; give "fit", or a table of {", ".join(_LENS)}')
    try:
        numbers = {key: float(told[key]) for key in _LENS[:5] if key in told}
        x, y = told.get("centre", lens.centre)
        found = replace(lens, **numbers, centre=(float(x), float(y)))
    except (TypeError, ValueError):
        raise DataError(f"{name}: camera.lens holds something else than numbers; compare with the docs") from None
    if not all(map(math.isfinite, (*numbers.values(), *found.centre))) or found.unit <= 0:
        raise DataError(f"{name}: camera.lens holds an impossible number; unit is a length in px above 0")
    return found, False
