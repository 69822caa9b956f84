"""The shots of a healthy job -> the same shots spoiled on their way from camera to disk, each with its truth."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, UInt16

from layerwatch.job.machine import Machine
from layerwatch.job.ranges import Interval
from layerwatch.records import DataError, Shot, ShotTruth

Image = Float32[np.ndarray, "h w"]
Change = Callable[[Image, int], Image]  # frame in degC, arrivals since the onset -> spoiled frame in degC

_LEAST = 3  # layers of a job in which a fault can begin


@dataclass(frozen=True, eq=False)
class Arrival:
    """One shot with the truth about it."""

    shot: Shot | None  # None: the frame never came
    truth: ShotTruth


@dataclass(frozen=True)
class Fault(ABC):
    """A kind of Type 1 anomaly: it concerns the whole frame, the bed's border included. Settings are fields."""

    summary: ClassVar[str]
    source: ClassVar[str]
    needs_other: ClassVar[bool] = False  # the shots of another job must be handed in
    shifts_clock: ClassVar[bool] = False  # every later time stamp is moved by the same amount

    layers: Interval = Interval(1.0, 3.0)  # how many arrivals it spoils, cut at the job's end

    @property
    def name(self) -> str:
        """Its name on the shelf: that of its file."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """Everything that arrives, in order of arrival, and what never came.

        Args:
            shots: of a healthy job, in order; they stay as they are.
            rng: onset, duration and amounts.
            machine: that printed the job.
            other: shots of another job of the machine.

        Raises:
            DataError: the job is too short for the fault to begin in it, or another job is needed.
        """

    def run(self, shots: Sequence[Shot], rng: np.random.Generator, least: int = 1, after: int = 0) -> range:
        """Which shots are spoiled: never the first, at least ``least``, and so that ``after`` sound ones follow."""
        count, needed = len(shots), max(_LEAST, 1 + least + after)
        if count < needed:
            raise DataError(f"{self.name} needs a job of {needed} layers to begin in, this one has {count}; print more")
        start = int(rng.integers(1, min(max(2 * count // 3, 1), count - least - after) + 1))
        return range(start, min(start + max(round(self.layers.draw(rng)), least), count - after))

    def marked(self, shot: Shot, seen: Shot | None = None) -> Arrival:
        """A spoiled shot; ``seen`` is what the camera really saw, if not the layer that the shot claims."""
        seen = seen or shot
        return Arrival(shot, ShotTruth(self.name, seen.job, seen.layer))


class PictureFault(Fault):
    """A fault that spoils the pictures of a run of shots, and nothing else of them."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, machine: Machine) -> Change:
        """Draw all amounts of one job's fault; the change may go on drawing from the generator."""

    def spoil(
        self, shots: Sequence[Shot], rng: np.random.Generator, machine: Machine, other: Sequence[Shot] = ()
    ) -> Iterator[Arrival]:
        """See Fault."""
        run, change = self.run(shots, rng), self.draw(rng, machine)
        for number, shot in enumerate(shots):
            if number not in run:
                yield healthy(shot)
                continue
            spoiled = change(heat_of(shot.frame, machine), number - run.start)
            yield self.marked(replace(shot, frame=frame_of(spoiled, machine)))


def healthy(shot: Shot) -> Arrival:
    """A shot with nothing wrong."""
    return Arrival(shot, ShotTruth("", shot.job, shot.layer))


def heat_of(frame: UInt16[np.ndarray, "h w"], machine: Machine) -> Image:
    """What the camera's grey means, in degC."""
    low, high = machine.span
    return np.asarray(frame.astype(np.float32) / np.float32(65535) * np.float32(high - low) + np.float32(low))


def frame_of(heat: Image, machine: Machine) -> UInt16[np.ndarray, "h w"]:
    """Back to the camera's levels; the inverse of ``heat_of``."""
    (low, high), levels = machine.span, 2**machine.bits - 1
    counts = np.rint(np.clip((heat.astype(np.float64) - low) / (high - low), 0, 1) * levels)
    return np.asarray(counts.astype(np.uint16) * np.uint16(65535 // levels), np.uint16)


def sensor_noise(machine: Machine, shape: tuple[int, ...], rng: np.random.Generator) -> Image:
    """Fresh noise of the camera, in K, for pictures that optics or a shutter have made smooth."""
    return rng.standard_normal(shape, np.float32) * np.float32(machine.noise)


def across(shape: tuple[int, ...]) -> tuple[Image, Image]:
    """Rows and columns of each pixel's centre, from -0.5 to 0.5 over the frame."""
    h, w = shape
    rows, columns = np.indices((h, w), np.float32)
    return np.asarray((rows + 0.5) / h - 0.5, np.float32), np.asarray((columns + 0.5) / w - 0.5, np.float32)
