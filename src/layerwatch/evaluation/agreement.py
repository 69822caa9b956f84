"""Scores of several detectors on real and on synthetic images -> whether both put the detectors in the same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from scipy import stats

from layerwatch.evaluation.metrics import Estimate, auroc
from layerwatch.records import DataError

Scores = Float64[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class Trial:
    """The scores of every detector on one labelled set, in the same order of images."""

    scores: Mapping[str, Scores]
    defective: Bool[np.ndarray, " n"]
    jobs: Sequence[str]


@dataclass(frozen=True)
class Agreement:
    """How alike two sets rank detectors."""

    real: dict[str, Estimate]  # AUROC of each detector
    synthetic: dict[str, Estimate]
    tau: Estimate  # Kendall's, 1 the same order, -1 the reverse


def agreement(real: Trial, synthetic: Trial, *, confidence: float = 0.95, draws: int = 500, seed: int = 0) -> Agreement:
    """Kendall's tau (b) of two orders of detectors, with an interval from whole jobs drawn with replacement.

    Args:
        real: scores on real images.
        synthetic: scores of the same detectors on synthetic ones.
        confidence: of the intervals.
        draws: of the bootstrap; healthy and defective jobs each among themselves, as in ``metrics.auroc``.
        seed: of the draws.

    Raises:
        DataError: fewer than two detectors, other ones on either set, or a set without both kinds of images.
    """
    names = list(real.scores)
    if len(names) < 2 or set(names) != set(synthetic.scores):
        raise DataError(f"{len(names)} detectors have no order to compare; give two or more, three tell more")
    sides = [{name: _auroc(trial, name, confidence, seed) for name in names} for trial in (real, synthetic)]
    rng = np.random.default_rng(seed)
    drawn = [_tau(*(_drawn_aurocs(trial, names, rng) for trial in (real, synthetic))) for _ in range(draws)]
    value = _tau(*([side[name].value for name in names] for side in sides))
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Agreement(sides[0], sides[1], Estimate(value, min(float(low), value), max(float(high), value)))


def _auroc(trial: Trial, name: str, confidence: float, seed: int) -> Estimate:
    scores, jobs = trial.scores[name], np.asarray(trial.jobs, object)
    healthy, defective = jobs[~trial.defective].tolist(), jobs[trial.defective].tolist()
    sides = scores[~trial.defective], scores[trial.defective]
    return auroc(*sides, healthy, defective, confidence=confidence, seed=seed)


def _drawn_aurocs(trial: Trial, names: Sequence[str], rng: np.random.Generator) -> list[float]:
    """AUROC of every detector on one and the same draw of jobs."""
    healthy, defective = _drawn(trial, False, rng), _drawn(trial, True, rng)
    found = []
    for name in names:
        a, b = trial.scores[name][healthy], trial.scores[name][defective]
        ranks = stats.rankdata(np.concatenate([a, b]))[len(a) :]
        found.append((float(ranks.sum()) - len(b) * (len(b) + 1) / 2) / (len(a) * len(b)))
    return found


def _drawn(trial: Trial, defective: bool, rng: np.random.Generator) -> Int64[np.ndarray, " n"]:
    """Indices of the images of as many jobs as there are, drawn with replacement."""
    there = np.flatnonzero(trial.defective == defective)
    _, number = np.unique(np.asarray(trial.jobs)[there], return_inverse=True)
    order = np.argsort(number, kind="stable")
    groups = np.split(there[order], np.cumsum(np.bincount(number))[:-1])
    return np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])


def _tau(real: Sequence[float], synthetic: Sequence[float]) -> float:
    """Kendall's tau; 0 where one side ranks all alike."""
    value = float(stats.kendalltau(real, synthetic).statistic)
    return value if np.isfinite(value) else 0.0
