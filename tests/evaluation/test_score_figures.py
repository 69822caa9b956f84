"""Figure 7: bins and the row of what cluster methods call NOK."""

from __future__ import annotations

import numpy as np

from layerwatch.evaluation.score_figures import edges_of, figure_7


def test_a_score_of_zero_does_not_stretch_the_axis() -> None:
    values = np.r_[0.0, np.linspace(1.0, 10.0, 99)]
    edges = edges_of(values)
    assert edges[0] > 1e-3
    assert edges[-1] >= 10.0
    assert np.histogram(np.maximum(values, edges[0]), edges)[0].sum() == 100


def test_figure_7_tells_the_auroc_of_each_defect_and_which_method_calls_what_nok() -> None:
    values = np.r_[np.linspace(1.0, 2.0, 50), np.linspace(3.0, 4.0, 20), np.linspace(1.0, 2.0, 50)]
    kinds = ["healthy"] * 50 + ["porous"] * 20 + ["shift"] * 50
    bins = len(edges_of(values)) - 1
    found = figure_7({"A": values}, kinds, {"A": {"k_means": np.arange(bins) > bins // 2}})
    text = found["svg"].decode()
    assert found["png"][:4] == b"\x89PNG"
    for said in ("1.00", "0.50", "k means", "porous", "shift"):
        assert f"<!-- {said} -->" in text
