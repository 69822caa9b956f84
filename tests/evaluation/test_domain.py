"""Alike sets have no gap; a gap says which end to move; orders of detectors agree, disagree, or cannot be told."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from layerwatch.evaluation import domain_figures
from layerwatch.evaluation.agreement import Trial, agreement
from layerwatch.evaluation.domain import Domain, compare
from layerwatch.evaluation.domain_figures import distributions, lag_curves, rank_scatter, spectra
from layerwatch.records import DataError


def domain(name: str, **values: np.ndarray) -> Domain:
    rng = np.random.default_rng(0)
    lags = np.tile([0.6, 0.3, np.nan, np.nan, np.nan], (6, 1))
    return Domain(name, values, np.linspace(0.01, 0.5, 24), rng.random((8, 24)) + 0.1, lags)


def test_a_set_has_no_gap_to_itself() -> None:
    values = np.linspace(1.0, 2.0, 40)
    (gap,) = compare(domain("real", blur=values), domain("synthetic", blur=values))
    assert gap.ks == 0
    assert gap.wasserstein == 0
    assert gap.covered == 1
    assert gap.advice == ""


def test_a_gap_says_which_end_to_move_and_how_far() -> None:
    real = domain("real", blur=np.linspace(0.5, 0.9, 41), noise=np.full(41, 0.05))
    narrow = domain("synthetic", blur=np.linspace(0.6, 0.7, 30), noise=np.linspace(0.04, 0.06, 30))
    gaps = compare(real, narrow)
    assert [gap.name for gap in gaps] == ["blur", "noise"]  # the worst first
    assert gaps[0].covered == pytest.approx(11 / 41)
    assert gaps[0].advice == "lower its low end by 0.08 and raise its high end by 0.18"
    assert gaps[0].ks > 0.4
    assert gaps[1].is_covered


def test_shifted_values_are_as_far_apart_as_they_are_shifted() -> None:
    values = np.random.default_rng(0).normal(size=500)
    (gap,) = compare(domain("real", bed=values + 3), domain("synthetic", bed=values))
    assert gap.wasserstein == pytest.approx(3)
    assert gap.p_value < 1e-6


def test_too_few_values_are_not_compared() -> None:
    assert compare(domain("real", blur=np.arange(4.0)), domain("synthetic", blur=np.arange(40.0))) == ()


def trial(strengths: dict[str, float], seed: int, jobs: int = 30) -> Trial:
    """Detectors of given strengths on the same jobs of three layers."""
    rng = np.random.default_rng(seed)
    defective = np.repeat(np.arange(jobs) % 2 == 1, 3)
    scores = {name: rng.normal(size=3 * jobs) + by * defective for name, by in strengths.items()}
    return Trial(scores, defective, [f"job-{i // 3}" for i in range(3 * jobs)])


def test_the_same_order_has_tau_one_and_the_reverse_minus_one() -> None:
    real = trial({"a": 0.3, "b": 1.5, "c": 4.0}, 0)
    same = agreement(real, trial({"a": 0.5, "b": 2.0, "c": 5.0}, 1), draws=200)
    assert same.tau.value == 1
    assert same.tau.low > 0
    assert same.real["a"].value < same.real["b"].value < same.real["c"].value
    reverse = agreement(real, trial({"a": 5.0, "b": 2.0, "c": 0.3}, 1), draws=200)
    assert reverse.tau.value == -1
    assert agreement(real, trial({"a": 5.0, "b": 2.0, "c": 0.3}, 1), draws=200) == reverse


def test_equal_detectors_leave_tau_open() -> None:
    even = {"a": 1.0, "b": 1.0, "c": 1.0}
    found = agreement(trial(even, 0), trial(even, 1), draws=200).tau
    assert found.low < 0 < found.high


def test_one_detector_has_no_order() -> None:
    with pytest.raises(DataError, match="1 detectors have no order"):
        agreement(trial({"a": 1.0}, 0), trial({"a": 1.0}, 1))


def test_figures_are_png_and_the_same_every_time() -> None:
    real, synthetic = domain("real", blur=np.linspace(0, 1, 9)), domain("synthetic", blur=np.linspace(0, 2, 9))
    order = agreement(trial({"a": 1.0, "b": 2.0}, 0), trial({"a": 1.0, "b": 2.0}, 1), draws=20)
    labels = {"blur": "blur, px", "bed": "bed"}
    drawn = [
        [distributions([real, synthetic], labels), spectra([real]), lag_curves([real, synthetic]), rank_scatter(order)]
        for _ in range(2)
    ]
    assert all(one.startswith(b"\x89PNG") for one in drawn[0])
    assert drawn[0] == drawn[1]


def test_a_single_value_is_drawn_and_the_lowest_frequency_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []

    def kept(figure: Figure) -> bytes:
        drawn.append(figure)
        return b""

    monkeypatch.setattr(domain_figures, "png", kept)
    real = domain("real", blur=np.full(6, 0.7), bed=296.0 + 1e-6 * np.arange(6))
    domain_figures.distributions([real], {"blur": "blur", "bed": "bed"})
    domain_figures.spectra([real])
    blur, bed = drawn[0].axes[:2]
    assert [text.get_text() for text in blur.texts] == ["0.7"]
    assert np.asarray(blur.lines[0].get_xdata()).tolist() == [0.7, 0.7]
    low, high = bed.get_xlim()
    assert high - low > 1  # so that ticks of four digits differ
    assert bed.xaxis.get_major_formatter()(296.12) == "296.1"
    assert np.asarray(drawn[1].axes[0].lines[0].get_xdata()).min() == real.frequencies[1]
