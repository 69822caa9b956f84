from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_curve

from layerwatch.evaluation.detection import average_precisions, detection, hits_at

RNG = np.random.default_rng(0)
HEALTHY, DEFECTIVE = RNG.normal(size=300).round(1), RNG.normal(1.0, size=120).round(1)  # with ties
SCORES, TRUTH = np.r_[HEALTHY, DEFECTIVE], np.r_[np.zeros(300, bool), np.ones(120, bool)]
JOBS = [f"h{i // 10}" for i in range(300)], [f"d{i // 10}" for i in range(120)]


def test_every_draw_is_what_scikit_learn_says_of_these_weights() -> None:
    weights = RNG.integers(0, 3, (20, 420)).astype(np.float64)
    for found, row in zip(average_precisions(SCORES, TRUTH, weights), weights, strict=True):
        assert found == pytest.approx(average_precision_score(TRUTH, SCORES, sample_weight=row))
    for rate in (0.0, 0.01, 0.2):
        for found, row in zip(hits_at(SCORES, TRUTH, weights, rate), weights, strict=True):
            false, hits, _ = roc_curve(TRUTH, SCORES, sample_weight=row, drop_intermediate=False)
            assert found == pytest.approx(hits[false <= rate + 1e-12].max())


def test_intervals_hold_the_figures_and_shrink_with_more_jobs() -> None:
    found = detection(HEALTHY, DEFECTIVE, *JOBS)
    more = detection(
        np.tile(HEALTHY, 4), np.tile(DEFECTIVE, 4), *([f"{n}{j}" for n in range(4) for j in jobs] for jobs in JOBS)
    )
    for few, many in ((found.auroc, more.auroc), (found.average_precision, more.average_precision)):
        assert few.low <= few.value <= few.high
        assert many.value == pytest.approx(few.value)
        assert many.high - many.low < few.high - few.low
    assert found.hits[0.001].value <= found.hits[0.01].value


def test_perfect_scores_are_perfect() -> None:
    found = detection(np.zeros(50), np.ones(20), JOBS[0][:50], JOBS[1][:20])
    assert found.auroc.value == found.average_precision.value == found.hits[0.001].value == 1
