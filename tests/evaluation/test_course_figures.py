from __future__ import annotations

import numpy as np

from layerwatch.evaluation.course_figures import Dot, figure_of_delays, figure_of_dots

DETECTORS = ("plan_aware (image+plan+job)", "pca (image)")


def dots(value: float) -> list[Dot]:
    return [
        Dot(detector, defect, severity, value, value - 0.1, value + 0.05)
        for detector in DETECTORS
        for defect in ("shift", "foreign_object")
        for severity in (1.0, 2.0)
    ]


def test_figures_name_detectors_and_defects_and_give_the_same_bytes() -> None:
    first = figure_of_dots(dots(0.9))
    assert first == figure_of_dots(dots(0.9))
    assert first["png"] != figure_of_dots(dots(0.6))["png"]
    assert first["png"].startswith(b"\x89PNG")
    assert b"<svg" in first["svg"]
    assert max(map(len, first.values())) < 100_000


def test_delays_that_never_end_are_drawn() -> None:
    soon, never = figure_of_delays(dots(2), dots(3), 6), figure_of_delays(dots(2), dots(np.inf), 6)
    assert soon["png"] != never["png"]
