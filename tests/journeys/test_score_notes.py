"""What is said of healthy jobs beside the table."""

from __future__ import annotations

import numpy as np

from layerwatch.journeys.score_notes import promise, tally
from layerwatch.journeys.score_rows import Row
from layerwatch.journeys.score_scale import Scale


def test_the_loudest_healthy_jobs_are_named() -> None:
    rng = np.random.default_rng(0)
    scores = [rng.uniform(-1, 0.9, 40) for _ in range(20)]
    for job, layers in ((3, 2), (7, 1), (9, 4), (12, 3)):
        scores[job][:layers] = 5 + layers
    told = promise(Scale(tuple(scores)), [f"job{k}" for k in range(20)], 0.014)
    line = next(one for one in told if "loudest" in one)
    assert "loudest first: job9 (4 layers), job12 (3 layers), job3 (2 layers); look" in line
    assert "blind to such a defect" in line


def test_numbers_agree_with_their_nouns() -> None:
    assert "1 layer of 1 healthy job," in promise(Scale((np.zeros(1),)), ["a"], 0.01)[0]
    assert tally([Row("a", 0, "1.png", verdict="OK")]) == "1 layer of 1 job: 1 OK, 0 NOK"
