"""The size of a model's images -> a gate that needs no learning, for frames that need not be those of one job.

It says only what is a fault whatever is printed and whoever's camera it is: another size, no signal, and pixels that
came before. Everything else needs healthy frames of jobs to compare with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerwatch import catalogue
from layerwatch.images.gate.base import Check, Known
from layerwatch.images.gating import LAGS, Gate
from layerwatch.images.tails import Tails

PLAIN = ("truncated", "wrong_size", "black", "duplicated", "frozen")
RUNNING = (*PLAIN, "dropped")  # for frames of a running job, whose layers follow one another


def plain_gate(size: tuple[int, int] | None, names: Sequence[str] = PLAIN) -> Gate:
    """A gate with the checks that need no learning.

    Args:
        size: px, height and width of frames that may be judged; None: any.
        names: of the checks; none: no fault is ever found.
    """
    chosen = [name for name in names if size or name != "wrong_size"]
    checks: list[Check] = [catalogue.load("images.gate", name)() for name in chosen]
    checks.sort(key=lambda check: check.rank)
    unknown = np.full((len(LAGS), sum(check.measures for check in checks)), np.nan)
    height, width = size or (0, 0)
    return Gate(tuple(checks), Known(height, width, 16, 1.0, coarse=True, timed=False), Tails(unknown, unknown))
