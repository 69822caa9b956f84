"""A frame, the last sound one before it and what is known of the machine -> whether one kind of fault is in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from layerwatch.images.clock import Clock as Clock
from layerwatch.images.comparing import Change
from layerwatch.images.looks import Look as Look
from layerwatch.records import Shot

SURE = 5.0  # orders of magnitude, from which on a number is no longer believed to be a healthy frame's
Numbers = Float64[np.ndarray, " k"]
UNKNOWN = float("nan")


@dataclass(frozen=True)
class Known:
    """What healthy frames say of the camera and the machine."""

    height: int  # px
    width: int
    bits: int  # of the files
    layer_time: float  # s
    coarse: bool = False  # levels are multiples of 257, those of 8 bits, in files of 16, too
    timed: bool = True  # frames said their times; else time stamps tell nothing


@dataclass(frozen=True)
class Past:
    """What is remembered of the running job."""

    job: str
    clock: Clock
    before: Look | None = None  # the last sound frame that agreed with those before it
    earlier: tuple[Look, ...] = ()  # sound frames before that one, the newest last
    doubts: int = 0  # sound frames since then that were unusual, so that none of them is the reference
    doubted: Look | None = None  # the frame before, if it was one of them, and not very unusual
    refused: Look | None = None  # the frame before, if it had a fault
    alike: int = 0  # how many in a row had that fault and were alike
    came: frozenset[int] = frozenset()  # layers that arrived, sound or not
    digests: tuple[tuple[int, int], ...] = ()  # of the last frames, with their layers
    fault: str = ""  # of the frame before, "" for none
    first: int | None = None  # the layer at which that fault began

    def since(self, kind: str) -> int | None:
        """The layer at which a fault began that the frame before still had."""
        return self.first if self.fault == kind else None


@dataclass(frozen=True, eq=False)
class Seen:
    """One frame with all that may be asked about it."""

    shot: Shot
    known: Known
    past: Past
    plan: UInt8[np.ndarray, "h w"] | None = None  # part instance from CAD, of the frame's size
    look: Look | None = None  # at the shot, where there is one already

    @cached_property
    def now(self) -> Look:
        """The frame itself."""
        return self.look or Look(self.shot)

    def against(self, past: Past) -> Seen:
        """The same frame with another past."""
        other = Seen(self.shot, self.known, past, self.plan)
        vars(other)["now"] = self.now  # nothing is looked at twice
        return other

    @cached_property
    def fits(self) -> bool:
        """Whether the frame has the size of healthy ones, and all of its pixels."""
        return self.shot.share >= 1 and self.shot.frame.shape == (self.known.height, self.known.width)

    @cached_property
    def change(self) -> Change | None:
        """Against the last sound frame of the job; None where there is none."""
        before = self.past.before
        return Change(self.now, before) if before is not None and self.fits else None

    @cached_property
    def lag(self) -> int:
        """Layers since the last sound frame; 1 without one."""
        before = self.past.before
        return max(abs(self.shot.layer - before.layer), 1) if before is not None else 1

    @cached_property
    def off(self) -> float:
        """Layer times by which the frame is late; 0 where nothing is known of times."""
        return 0.0 if not self.known.timed else self.past.clock.off(self.shot.layer, self.shot.time)

    @cached_property
    def clipped(self) -> float:
        """Share of pixels at the ends of the span."""
        low, high = self.now.ends
        at = [level for level in (0, 65535) if level in (low, high)]
        return max((self.now.share_at(level) for level in at), default=0.0)

    @cached_property
    def planned(self) -> Float32[np.ndarray, "h w"] | None:
        """Shapes of the plan on the frame's grid; only where nothing was seen before."""
        if self.plan is None or self.past.before is not None or self.plan.shape != self.shot.frame.shape:
            return None
        share = np.asarray(self.plan > 0, np.uint16) * np.uint16(65535)
        return Look(Shot(self.shot.job, self.shot.layer, 0.0, share)).shapes if share.any() else None


@dataclass(frozen=True)
class Finding:
    """A fault that a check sees."""

    evidence: str
    others: tuple[int, ...] = ()  # layers besides the frame's own that it concerns
    itself: bool = True  # it concerns the frame; else only the others


@dataclass(frozen=True)
class Check(ABC):
    """Looks for one kind of fault, that of its file's name. Settings are fields.

    What healthy frames show of the numbers that it measures is learnt by the gate, which hands back how far each lies
    beyond them. Where several checks see something, the one of the lowest ``rank`` names the fault.
    """

    summary: ClassVar[str]
    source: ClassVar[str]
    advice: ClassVar[str]  # what a person should do
    rank: ClassVar[int]  # lower: more specific
    measures: ClassVar[int] = 0  # how many numbers it takes of a frame
    moves: ClassVar[tuple[int, ...]] = ()  # which of them are large where the part's outlines move as well
    passes: ClassVar[int] = 0  # frames in a row after which it is over by itself; 0: it lasts until it is mended

    sure: float = field(default=SURE, kw_only=True)  # orders of magnitude

    @property
    def name(self) -> str:
        """The fault's kind: the name of the check's file."""
        return type(self).__module__.rpartition(".")[2]

    def eased(self, seen: Seen) -> float:
        """Share of the orders of magnitude that is enough: a half where the frame before had the same fault already."""
        return 0.5 if seen.past.fault == self.name else 1.0

    def measure(self, seen: Seen) -> tuple[float, ...]:
        """Numbers that are small on healthy frames; NaN for what cannot be told. Only asked of frames that fit."""
        return ()

    @abstractmethod
    def find(self, seen: Seen, numbers: tuple[float, ...], far: Numbers) -> Finding | None:
        """The fault, if it is there.

        Args:
            seen: the frame and its past.
            numbers: what ``measure`` gave; NaN throughout for a frame that does not fit.
            far: minus the decimal logarithm of the share of healthy frames whose numbers go so far.
        """
