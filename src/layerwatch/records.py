"""The words every room speaks: frozen records with their units, and the errors that reach a person. Needs numpy only.

Bed coordinates: x runs along image columns, y along image rows, both in mm from the bed's corner; the centre of
pixel (row r, column c) lies at ``x = (c + 0.5) mm_per_px``, ``y = (r + 0.5) mm_per_px``. z is the height in mm.
Grey is a fraction of the camera's fixed temperature span, in [0, 1], so equal grey is equal temperature everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Float32, Shaped, UInt8, UInt16


class DataError(Exception):
    """The input cannot be used; the message says what was given, what would do and what to try. Exit code 1."""


class UsageError(Exception):
    """The call itself is off (an option, a path, a name). Exit code 2."""


_NO_NUMBER = re.compile(
    r"could not convert string to float: .*?'(.*)'|invalid literal for int\(\) .*?'(.*)'", re.DOTALL
)


def plainly(error: Exception) -> str:
    """What is wrong with a file, in words for a person, from the error that reading it raised."""
    if isinstance(error, FileNotFoundError):
        return "the file is missing"
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be read: {error.strerror.lower()}"
    if isinstance(error, json.JSONDecodeError):
        return f"no JSON in line {error.lineno}"
    if isinstance(error, UnicodeDecodeError):
        return "no text in UTF-8"
    if isinstance(error, KeyError):
        return f"{error.args[0]} is not in it"
    if isinstance(error, IndexError):
        return "numbers are missing in it"
    if isinstance(error, (TypeError, AttributeError)):
        return "something in it is missing or of the wrong kind"
    if "cannot reshape" in str(error):
        return "a coordinate without its partner"
    number = _NO_NUMBER.search(str(error))
    return f"{(number[1] or number[2] or '')[:40]!r} is no number" if number else str(error)


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 layer", "2 layers"; ``many`` where it is more than one and not just an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


@runtime_checkable
class Progress(Protocol):
    """Told by long work how far it is; a journey turns it into a bar."""

    def __call__(self, step: str, done: int, total: int, note: str = "") -> None:
        """Say that ``done`` of ``total`` of the named step is behind us."""


def silent(step: str, done: int, total: int, note: str = "") -> None:
    """The Progress that says nothing."""


@dataclass(frozen=True, eq=False)
class Island:
    """One connected piece of a layer: an outer ring and the holes in it, rings closed without repeating a point."""

    outer: Float[np.ndarray, "n 2"]  # mm, counter-clockwise
    holes: tuple[Float[np.ndarray, "_ 2"], ...] = ()  # mm, clockwise


@dataclass(frozen=True, eq=False)
class Layer:
    """The nominal shape of a part at one height."""

    index: int  # 0 is the lowest
    z: float  # mm, top of the layer
    slice_z: float  # mm, where the mesh was cut (the middle of the layer)
    height: float  # mm
    islands: tuple[Island, ...]
    area: float  # mm2
    leaks: int = 0  # open ends that no contour could close


@dataclass(frozen=True, eq=False)
class LayerImage:
    """One layer as the camera sees it, with all that is known beforehand: the plan travels with the image."""

    job: str
    layer: int
    pixels: Float32[np.ndarray, "h w"]  # grey in [0, 1]
    mm_per_px: float = 1.0
    plan: UInt8[np.ndarray, "h w"] | None = None  # part instance from CAD: 0 bed, 1.. which copy; None: no CAD
    name: str = ""  # where it came from, for messages
    span: tuple[float, float] | None = None  # degC at grey 0 and 1; None: unknown
    coverage: UInt8[np.ndarray, "h w"] | None = None  # 255 times the share of each pixel inside the nominal outline
    time: datetime | None = None  # of the exposure, where the file says so
    bits: int | None = None  # of the file's levels; None: not known, or no levels


@dataclass(frozen=True, eq=False)
class Picture:
    """What one file, or one page of it, holds, before anybody has said what its numbers mean for a layer."""

    pixels: Shaped[np.ndarray, "h w"]  # uint8, uint16 or float32, in the file's own depth
    unit: Literal["grey", "counts", "degC"]  # 8 bits or in [0, 1]; levels of unknown meaning; temperatures
    time: datetime | None = None  # of the exposure; without a zone where the file names none; None: not said
    tags: Mapping[str, str] = field(default_factory=dict)  # what else the file says, by the tag's own name
    page: int = 0  # its number in the file, from 0
    pages: int = 1  # pictures in the file
    name: str = ""  # where it came from, for messages


@dataclass(frozen=True)
class DefectRecord:
    """One injected defect as it was printed."""

    defect: str  # its name on the shelf
    severity: float  # detectability d' / 10 of the very defect to a matched filter
    amplitude: float  # K, signed (0 for purely geometric defects)
    extent: float  # mm, the size that names it: diameter, width, ramp or jump
    first_layer: int
    last_layer: int
    seed: int


@dataclass(frozen=True, eq=False)
class Truth:
    """What is really wrong with one layer. Only job, images and evaluation may know it."""

    job: str
    layer: int
    label: str  # "healthy", the defect's name, or "trace": the fading heat of a defect of earlier layers
    mask: Bool[np.ndarray, "h w"]
    defects: tuple[DefectRecord, ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Nothing is wrong with this layer, and nothing shines through from below."""
        return self.label == "healthy"

    @property
    def is_defective(self) -> bool:
        """A defect is printed in this very layer; a trace counts on neither side."""
        return self.label not in {"healthy", "trace"}


@dataclass(frozen=True, eq=False)
class Shot:
    """One file as it arrives from a camera, with what it claims to be; nothing of that is certain yet."""

    job: str  # that the sidecar or the file's name claims
    layer: int  # the same
    time: float  # s since the job's start, of the exposure, by the machine's clock; NaN where nothing says it
    frame: UInt16[np.ndarray, "h w"]  # the file's own levels: up to 255 in a file of 8 bits
    bits: int = 16  # of the file: 8 or 16
    share: float = 1.0  # of the file's bytes that arrived


@dataclass(frozen=True)
class ShotTruth:
    """What is really wrong with one shot (Type 1). Only job, images and evaluation may know it."""

    fault: str  # its name on the shelf, "" for none
    job: str  # that the camera really saw
    layer: int  # the same; of a frame that never came, the layer that is missing
    arrived: bool = True  # False: the frame never came


@dataclass(frozen=True)
class Finding:
    """The most conspicuous thing that a detector which can name things saw on one layer, healthy or not."""

    kind: str  # "blob", "line", "stripe", "step", "texture gain", "texture loss", "shift"
    text: str  # in words, such as "line along the head's travel, 4 mm wide, +0.6 K, 7 layers"
    x: float  # mm, nan where it has no place along x
    y: float  # mm
    extent: float  # mm: diameter, width across, ramp, or way of a shift
    amplitude: float  # K, or grey where the span is not known; mm of a shift; share of a texture's energy
    part: int  # part instance, 0: on the bed, or no place
    z: float  # its answer over the standard deviation of healthy ones
    layers: int = 1  # in a row, since when something was suspected


@dataclass(frozen=True, eq=False)
class Reading:
    """What one detector says about one image; higher scores are more abnormal."""

    job: str
    layer: int
    score: float
    A_R: float = float("nan")  # mean squared reconstruction error, where the detector has one
    A_D: float = float("nan")  # mean squared error of the critic's features, where it has one
    heat: Float32[np.ndarray, "h w"] | None = None  # signed deviation at every pixel of the input, detector's unit
    features: Float32[np.ndarray, "2 d"] | None = None  # D_f(X) and D_f(G(E(X)))
    finding: Finding | None = None  # from detectors that name things


@dataclass(frozen=True)
class Region:
    """One place that stands out on one layer."""

    part: int  # part instance, 0: on the bed
    x: float  # mm, centre
    y: float  # mm, centre
    area: float  # mm2
    extent: float  # mm, longest side of the bounding box
    amplitude: float  # mean of the heat map over the region, detector's unit, signed
    box: tuple[int, int, int, int]  # px: first row, first column, last row + 1, last column + 1


@dataclass(frozen=True)
class Verdict:
    """The answer for one layer: OK, NOK with places, or FAULT with the reason why it cannot be judged."""

    job: str
    layer: int
    word: Literal["OK", "NOK", "FAULT"]
    score: float = float("nan")
    threshold: float = float("nan")
    p_value: float = float("nan")  # share of healthy layers at least as abnormal; an index, not a promise per layer
    regions: tuple[Region, ...] = ()
    reason: str = ""  # why it is a FAULT, or in words what is NOK
    name: str = ""


@dataclass(frozen=True)
class Fault:
    """A frame that must not be judged (Type 1), with evidence and what to do."""

    job: str
    layer: int
    kind: str
    evidence: str
    advice: str
    name: str = ""  # where the frame came from; "" where none came, or whoever reports it says so beside


@dataclass(frozen=True)
class Alarm:
    """Something a person must know about a job: defects that overlap through layers, or a fault."""

    job: str
    first_layer: int
    last_layer: int
    level: Literal["minor", "critical", "fault"]
    text: str
    regions: tuple[Region, ...] = field(default=())
