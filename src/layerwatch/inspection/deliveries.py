"""What a camera hands in: the bytes of one frame with what they claim to be, and how to say that they are safe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

UNKNOWN = -1  # layer of a frame that nothing tells

Word = Literal["new", "duplicate", "conflict", "late"]  # late: its layer was counted as missing or broken


@dataclass(frozen=True)
class Identity:
    """Which frame it is; no two frames have the same."""

    printer: str
    job: str
    layer: int  # UNKNOWN where nothing says it
    phase: str = ""  # of the machine's cycle, where a layer has several frames, such as "after lamp"
    shot: str = ""  # tells several frames of one phase apart


@dataclass(frozen=True)
class Receipt:
    """What became of a delivery. Whatever the word is, its bytes are safe and it need not be sent again."""

    word: Word
    frame: int  # number of the frame in the journal
    sha256: str


def unheard(told: Receipt | str) -> None:
    """The acknowledgement or refusal that nobody waits for."""


@dataclass(frozen=True, eq=False)
class Delivery:
    """One frame on its way in."""

    identity: Identity
    data: bytes  # as received; empty where nothing can be read
    suffix: str  # of its file, such as ".png": tells who reads it
    name: str  # where it came from, for messages
    exposed: float | None = None  # s since 1970 in UTC, of the exposure, where somebody says it
    unidentified: str = ""  # why it cannot be said which frame it is; empty where it can
    acknowledge: Callable[[Receipt], None] = field(default=unheard)  # called once, after the journal has it
    refuse: Callable[[str], None] = field(default=unheard)  # called instead where it could not be kept, with the reason
