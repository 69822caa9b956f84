"""Rows and healthy jobs -> what is said beside the table: what p rests on, loud healthy jobs, frames without score."""

from __future__ import annotations

import re
from collections.abc import Sequence

from layerwatch.journeys.score_rows import NOT_CALIBRATED, Row
from layerwatch.journeys.score_scale import Scale
from layerwatch.records import counted

_PROMISE = 19  # jobs that a promise of 5 % false-alarm jobs needs
_NAMED = 3  # jobs or frames
_OF_A_JOB = {NOT_CALIBRATED, "plan not registered"}  # verdicts of a whole job
_NUMBER = re.compile(r"-?\d[\d.]*(e[+-]?\d+)?")


def promise(scale: Scale, names: Sequence[str], alpha: float) -> tuple[str, ...]:
    """What the healthy jobs tell about false alarms.

    Args:
        scale: of the jobs from which nothing was learnt.
        names: of these jobs, in its order.
        alpha: p-value below which a layer is NOK.
    """
    own = scale.alarms(alpha)
    layers, jobs = counted(own.of_layers, "layer"), counted(own.of_jobs, "healthy job")
    lines = [
        f"p-values from {layers} of {jobs}, from which nothing was learnt; a p below {1 / (own.of_layers + 1):.1g} is "
        f"not counted but an index by a law"
    ]
    if own.of_jobs > 1:
        lines.append(
            f"each of these jobs judged by the others: {own.layers:,} of {layers} NOK, "
            f"in {own.jobs:,} of {counted(own.of_jobs, 'job')}"
        )
    if own.jobs:
        loudest = ", ".join(f"{names[k]} ({counted(own.loud[k], 'layer')})" for k in own.loudest(_NAMED))
        lines.append(
            f"conspicuous among the healthy jobs, loudest first: {loudest}; look at them, for a defective job among "
            f"them makes the detector blind to such a defect"
        )
    if own.of_jobs < _PROMISE:
        lines.append(
            f"a promise for whole jobs needs {_PROMISE} of them for 5 % false-alarm jobs; p is an index of the layer"
        )
    return tuple(lines)


def reasons(rows: Sequence[Row]) -> tuple[str, ...]:
    """Each reason once, whatever names and numbers are in it, with how many frames it is true of and the first ones."""
    said: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row.reason:
            job = row.job if row.verdict in _OF_A_JOB else ""
            kind = row.verdict if row.score != row.score else ""
            said.setdefault((job, kind, _NUMBER.sub("#", _without_name(row))), []).append(row)
    return tuple(_line(some) for some in said.values())


def _without_name(row: Row) -> str:
    return row.reason.removeprefix(f"{row.file}: ")


def _line(rows: Sequence[Row]) -> str:
    first = ", ".join(f"{row.job}/{row.file}" for row in rows[:_NAMED])
    more = f" and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else ""
    count = f" ({counted(len(rows), 'frame')})" if len(rows) > 1 else ""
    word = rows[0].verdict if len({row.verdict for row in rows}) == 1 else "scored"
    return f"{first}{more}{count}: {word}: {_without_name(rows[0])}"


def tally(rows: Sequence[Row]) -> str:
    """How many layers got which verdict, in words."""
    words = [row.verdict for row in rows]
    counts = ", ".join(f"{words.count(word):,} {word}" for word in dict.fromkeys(["OK", "NOK", *words]))
    return f"{counted(len(rows), 'layer')} of {counted(len({row.job for row in rows}), 'job')}: {counts}"
