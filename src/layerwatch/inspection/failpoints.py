"""Names of the steps between which a crash must do no harm -> a hook that tests set to end the process there.

In service the hook does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


def _nothing(name: str) -> None:
    """No failure."""


hook: Callable[[str], None] = _nothing

STEPS = (
    *(f"{what} {how}" for what in ("spool", "heat") for how in ("write", "fsync", "rename", "fsync folder")),
    "receive commit",
    "acknowledge",
    "record commit",
    "publish",
    "sent commit",
)
POINTS = tuple(f"{when} {step}" for step in STEPS for when in ("before", "after"))


@contextmanager
def step(name: str) -> Iterator[None]:
    """Tell the hook before and after the block; ``name`` is one of ``STEPS``."""
    hook(f"before {name}")
    yield
    hook(f"after {name}")


def reached(point: str) -> None:
    """Tell the hook that the process is here; ``point`` is one of ``POINTS``."""
    hook(point)
