"""A machine file in TOML -> what the printer and its camera are, in mm, s and degC."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from layerwatch.records import DataError, UsageError

Axis = Literal["x", "y"]

_KEYS: dict[str, dict[str, type]] = {
    "bed": {"x": float, "y": float, "z": float, "rim": float},
    "axes": {"head": str, "recoater": str, "lamp": str},
    "process": {"layer_height": float, "layer_time": float},
    "head": {"swath": float},
    "lamp": {"emitters": int},
    "camera": {"width": int, "height": int, "tilt": float, "low": float, "high": float, "bits": int, "noise": float},
}
_ALLOWED = {"camera": {"corners", "points", "lens"}}  # of the real camera, which images reads; see docs/bed.md
_DEFAULT = "sand_binder_jetting"


@dataclass(frozen=True)
class Machine:
    """One printer with its camera, whose frame is the whole bed."""

    name: str
    bed: tuple[float, float, float]  # mm: x, y, and the height z of the job box
    rim: float  # mm of the machine's frame around the sand, inside x and y
    head: Axis  # along which the print head travels
    recoater: Axis
    lamp: Axis
    layer_height: float  # mm
    layer_time: float  # s
    swath: float  # mm, printed in one pass, across the head's travel
    emitters: int  # of the lamp, side by side across its travel
    width: int  # px
    height: int  # px
    tilt: float  # degrees, of the view about the image's x axis
    span: tuple[float, float]  # degC at grey 0 and 1
    bits: int  # 8 or 16
    noise: float  # K, standard deviation of the camera's noise

    @property
    def mm_per_px(self) -> float:
        """Size of a pixel on the bed; with a tilted camera where it would look straight down."""
        return self.bed[0] / self.width


def shipped_machines() -> tuple[str, ...]:
    """Names of the machine files that come with layerwatch, the default first."""
    files = resources.files("layerwatch.job").joinpath("machines").iterdir()
    found = sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))
    return (_DEFAULT, *(name for name in found if name != _DEFAULT))


def shipped_text(name: str = _DEFAULT) -> str:
    """The text of a shipped machine file.

    Raises:
        UsageError: none of that name is shipped.
    """
    if name not in shipped_machines():
        raise UsageError(f"no shipped machine {name!r}; there are: {', '.join(shipped_machines())}")
    return resources.files("layerwatch.job").joinpath("machines", f"{name}.toml").read_text("utf-8")


def default_machine() -> Machine:
    """The sand binder jetting machine that is taken when no file is given."""
    return read_machine(shipped_text(), f"{_DEFAULT}.toml")


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
    _check_axes(told["axes"], name)
    bed, axes, process, camera = (told[section] for section in ("bed", "axes", "process", "camera"))
    machine = Machine(
        name=str(told.get("name", name)),
        bed=(float(bed["x"]), float(bed["y"]), float(bed["z"])),
        rim=float(bed["rim"]),
        **axes,
        layer_height=float(process["layer_height"]),
        layer_time=float(process["layer_time"]),
        swath=float(told["head"]["swath"]),
        emitters=told["lamp"]["emitters"],
        width=camera["width"],
        height=camera["height"],
        tilt=float(camera["tilt"]),
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
        for key in there.keys() - keys.keys() - _ALLOWED.get(section, set()):
            raise DataError(f"{name}: unknown key {section}.{key}; there are: {', '.join(keys)}")
        for key, kind in keys.items():
            _check_value(there.get(key), kind, f"{name}: {section}.{key}")
    if not isinstance(told.get("name", ""), str):
        raise DataError(f"{name}: name = {told['name']!r}; give a text in quotes")
    for key in told.keys() - _KEYS.keys() - {"name"}:
        raise DataError(f"{name}: unknown key {key}; there are: name, {', '.join(_KEYS)}")


def _check_axes(axes: dict[str, str], name: str) -> None:
    for axis, value in axes.items():
        if value not in {"x", "y"}:
            raise DataError(f'{name}: axes.{axis} = {value!r}; it must be "x" or "y"')
    if axes["head"] == axes["recoater"]:
        raise DataError(f'{name}: axes.head and axes.recoater must be "x" and "y" in either order')


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
        "bed.x, bed.y below 20 mm: lengths are in mm": min(x, y) < 20,
        "bed.rim must lie between 0 mm and a quarter of the bed's shorter side": not 0 <= machine.rim <= min(x, y) / 4,
        "process.layer_height must lie between 0.005 and 5 mm": not 0.005 <= machine.layer_height <= 5,
        "process.layer_time must lie between 0 and 86400 s": not 0 < machine.layer_time <= 86400,
        "head.swath must lie between 1 mm and 10 m": not 1 <= machine.swath <= 10_000,
        "lamp.emitters must lie between 1 and 1000": not 1 <= machine.emitters <= 1000,
        "camera.tilt must lie between -60 and 60 degrees": not -60 <= machine.tilt <= 60,
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
