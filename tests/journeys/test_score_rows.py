"""Whether a job that is conspicuous from its first layers on has a defect, or is unlike the healthy ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layerwatch.journeys.score_rows import NOT_CALIBRATED, Row, judged_job

Places = Sequence[tuple[str, float, float]]


def verdicts(places: Places, *, knows_plan: bool = True) -> set[str]:
    """Of a job of NOK layers with findings of 2 mm on a frame of 64 mm."""
    rows = [
        Row("a", k, f"{k}.png", 5.0, 1e-4, "tail", "NOK", kind, x, y, 2.0, side_mm=64.0)
        for k, (kind, x, y) in enumerate(places)
    ]
    return {row.verdict for row in judged_job(rows, knows_plan=knows_plan)}


def test_the_place_counts_and_not_the_name() -> None:
    names = ("blob", "line", "texture loss", "texture gain", "blob", "line", "step", "blob")
    assert verdicts([(name, 20.0 + k % 2, 30.0) for k, name in enumerate(names)]) == {"NOK"}
    assert verdicts([(name, 20.0, 30.0) for name in names], knows_plan=False) == {NOT_CALIBRATED}


def test_along_a_line_any_position_counts_and_a_stripe_has_but_one() -> None:
    x = (5.0, 50.0, 15.0, 40.0, 25.0, 60.0, 33.0, 10.0)
    line = [("blob" if k % 2 else "line", at, 30.0 + 0.5 * (k % 3)) for k, at in enumerate(x)]
    assert verdicts(line) == {"NOK"}
    assert verdicts([(name, b, a) for name, a, b in line]) == {"NOK"}
    assert verdicts([*line[:3], *[("stripe", math.nan, 30.0)] * 5]) == {"NOK"}
    assert verdicts([("shift", math.nan, math.nan)] * 8) == {"NOK"}


def test_jobs_with_findings_all_over_the_bed_are_seldom_taken_for_defective() -> None:
    drawn = np.random.default_rng(0).uniform(2, 62, (500, 10, 2))
    found = [verdicts([("blob", float(x), float(y)) for x, y in job]) for job in drawn]
    assert sum(one == {"NOK"} for one in found) <= 5
