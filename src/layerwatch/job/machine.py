"""A machine file in TOML -> what the printer and its camera are, in mm, s and degC."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from layerwatch.records import DataError

Axis = Literal["x", "y"]

_KEYS: dict[str, dict[str, type]] = {
    "bed": {"x": float, "y": float, "z": float},
    "axes": {"head": str, "recoater": str},
    "process": {"layer_height": float, "layer_time": float},
    "camera": {"width": int, "height": int, "low": float, "high": float, "bits": int, "noise": float},
}


@dataclass(frozen=True)
class Machine:
    """One printer with its camera, which looks straight down on the whole bed."""

    name: str
    bed: tuple[float, float, float]  # mm: x, y, and the height z of the job box
    head: Axis  # along which the print head travels
    recoater: Axis
    layer_height: float  # mm
    layer_time: float  # s
    width: int  # px
    height: int  # px
    span: tuple[float, float]  # degC at grey 0 and 1
    bits: int  # 8 or 16
    noise: float  # K, standard deviation of the camera's noise

    @property
    def mm_per_px(self) -> float:
        """Size of a pixel on the bed."""
        return self.bed[0] / self.width


def default_machine() -> Machine:
    """The shipped sand binder jetting machine."""
    name = "sand_binder_jetting.toml"
    return read_machine(resources.files("layerwatch.job").joinpath("machines", name).read_text("utf-8"), name)


def read_machine(text: str, name: str) -> Machine:
    """Read a machine file.

    Raises:
        DataError: broken TOML, or a missing, unknown or impossible key, which is named.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{name}: broken TOML ({error}); compare it with the shipped machine file") from None
    _check_keys(told, name)
    bed, axes, process, camera = (told[section] for section in _KEYS)
    machine = Machine(
        name=str(told.get("name", name)),
        bed=(float(bed["x"]), float(bed["y"]), float(bed["z"])),
        head=axes["head"],
        recoater=axes["recoater"],
        layer_height=float(process["layer_height"]),
        layer_time=float(process["layer_time"]),
        width=camera["width"],
        height=camera["height"],
        span=(float(camera["low"]), float(camera["high"])),
        bits=camera["bits"],
        noise=float(camera["noise"]),
    )
    _check_values(machine, name)
    return machine


def _check_keys(told: dict[str, Any], name: str) -> None:
    for section, keys in _KEYS.items():
        there = told.get(section)
        if not isinstance(there, dict):
            raise DataError(f"{name}: section [{section}] is missing; it holds {', '.join(keys)}")
        for key in there.keys() - keys.keys():
            raise DataError(f"{name}: unknown key {section}.{key}; there are: {', '.join(keys)}")
        for key, kind in keys.items():
            _check_value(there.get(key), kind, f"{name}: {section}.{key}")
    for key in told.keys() - _KEYS.keys() - {"name"}:
        raise DataError(f"{name}: unknown key {key}; there are: name, {', '.join(_KEYS)}")


def _check_value(value: object, kind: type, key: str) -> None:
    if value is None:
        raise DataError(f"{key} is missing; compare with the shipped machine file")
    fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
    if isinstance(value, float) and not math.isfinite(value):
        raise DataError(f"{key} = {value!r}; it must be a finite number")
    if not fits or isinstance(value, bool):
        raise DataError(f"{key} = {value!r}; it must be {'a number' if kind is float else f'of type {kind.__name__}'}")


def _check_values(machine: Machine, name: str) -> None:
    x, y, _ = machine.bed
    wrongs = {
        "bed.x, bed.y, bed.z must be above 0 mm": min(machine.bed) <= 0,
        "bed.x, bed.y above 10 m: lengths are in mm": max(x, y) > 10_000,
        'axes.head and axes.recoater must be "x" and "y" in either order': {machine.head, machine.recoater}
        != {"x", "y"},
        "process.layer_height must lie between 0.005 and 5 mm": not 0.005 <= machine.layer_height <= 5,
        "process.layer_time must lie between 0 and 86400 s": not 0 < machine.layer_time <= 86400,
        "camera.width and camera.height must lie between 16 and 8192 px": not 16
        <= min(machine.width, machine.height)
        <= max(machine.width, machine.height)
        <= 8192,
        "bed.x / camera.width and bed.y / camera.height differ: pixels must be square": abs(
            x / max(machine.width, 1) - y / max(machine.height, 1)
        )
        > 1e-3 * x / max(machine.width, 1),
        "camera.low must be at least 1 degC below camera.high": machine.span[1] - machine.span[0] < 1,
        "camera.low and camera.high must lie between -273 and 3000 degC": machine.span[0] < -273
        or machine.span[1] > 3000,
        "camera.bits must be 8 or 16": machine.bits not in {8, 16},
        "camera.noise must lie between 0 and 10 K": not 0 < machine.noise <= 10,
    }
    for text, is_wrong in wrongs.items():
        if is_wrong:
            raise DataError(f"{name}: {text}")
