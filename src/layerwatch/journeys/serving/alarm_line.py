"""A stored model and a promised share of false alarms -> the score above which a job is alarmed, and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np

from layerwatch.records import counted
from layerwatch.verdict.threshold import fit_threshold

MAXIMA, LINE, SCORES = "job_maxima", "line", "scores"  # of a model's calibration


@dataclass(frozen=True)
class AlarmLine:
    """The line of alarm of one printer."""

    value: float
    note: str = ""  # what the line does not keep of the promise; empty where it keeps all


def alarm_line(calibration: Mapping[str, np.ndarray], share: float) -> AlarmLine:
    """The line that at most that share of healthy jobs crosses, by split conformal over the healthy jobs' maxima.

    Args:
        calibration: of the model: maxima by job; in older models a line, or the scores of healthy layers alone.
        share: of the healthy jobs, that may raise any alarm.

    Returns:
        The line; where too few healthy jobs are known, the strictest that they support.
    """
    needed = ceil(1 / share - 1e-9) - 1
    if MAXIMA in calibration:
        maxima = calibration[MAXIMA].astype(np.float64)
        if len(maxima) >= needed:
            return AlarmLine(fit_threshold(maxima, share).value)
        strictest = float(np.max([*maxima, *calibration.get(LINE, maxima)]))
        text = f"the model knows {counted(len(maxima), 'healthy job')}, {needed} are needed"
        return AlarmLine(strictest, f"{_promised(share)}: {text}; at most {1 / (len(maxima) + 1):.0%} can be promised")
    text = f"the model does not keep its healthy jobs apart, {needed} are needed; `layerwatch commission` keeps them"
    if LINE in calibration:
        return AlarmLine(float(calibration[LINE][0]), f"{_promised(share)}: {text}; its own line is taken")
    scores = calibration[SCORES].astype(np.float64)
    line = fit_threshold(scores, 1 / (len(scores) + 1)).value
    return AlarmLine(line, f"{_promised(share)}: {text}; the line is the highest score of a healthy layer")


def _promised(share: float) -> str:
    return f"false_alarms = {share:g} cannot be promised"
