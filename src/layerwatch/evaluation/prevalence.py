"""Cohorts in which few layers are defective -> where each cluster method breaks (the paper clusters at one half)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from layerwatch import catalogue
from layerwatch.evaluation.cohorts import Cohort
from layerwatch.records import DataError
from layerwatch.verdict.reductions.base import Reduction


@dataclass(frozen=True)
class Found:
    """What a method makes of layers that it has not clustered, as shares; healthy and defective ones count alike."""

    hits: float  # of the defective layers
    false_alarms: float  # of the healthy layers

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the shares that are right on either side; one half is guessing."""
        return (self.hits + 1 - self.false_alarms) / 2

    def precision(self, prevalence: float) -> float:
        """Share of alarms that are right where so many layers are defective."""
        right, wrong = prevalence * self.hits, (1 - prevalence) * self.false_alarms
        return right / (right + wrong) if right + wrong else 0.0


def rare_and_balanced(
    cohort: Cohort, prevalence: float, *, layers: int, test_each: int, seed: int
) -> tuple[Cohort, Cohort]:
    """A cohort of which a given share is defective, to cluster, and a balanced one to count on; by job.

    Args:
        cohort: all layers.
        prevalence: share of defective layers, at most one half; at least one layer is defective.
        layers: in the cohort to cluster.
        test_each: layers of each defect to count on; as many healthy ones as of all defects together.
        seed: of the choice.

    Raises:
        DataError: too few layers of a kind.
    """
    rng, kinds, jobs = np.random.default_rng([seed, 7]), np.array(cohort.kinds), np.array(cohort.jobs)
    defects = cohort.defects
    bad = max(round(prevalence * layers), 1)
    wanted = {"healthy": (layers - bad, test_each * len(defects))}
    wanted |= dict.fromkeys(defects, (0, test_each))
    fit, test, spare = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
    for kind, (first, second) in wanted.items():
        rows = rng.permutation(np.flatnonzero(kinds == kind))
        names = rng.permutation(np.unique(jobs[rows]))
        inside = np.isin(jobs[rows], names[: _jobs_for(jobs[rows], names, second)])
        chosen, rest = rows[inside][:second], rows[~inside]
        if len(chosen) < second or len(rest) < first:
            raise DataError(f"{len(rows)} {kind} layers do not give {first} to cluster and {second} to count on")
        test.append(chosen)
        (fit if kind == "healthy" else spare).append(rest[:first] if kind == "healthy" else rest)
    fit.append(rng.permutation(np.concatenate(spare))[:bad])
    return cohort.take(np.sort(np.concatenate(fit))), cohort.take(np.sort(np.concatenate(test)))


def found_by(
    fit: Cohort, test: Cohort, name: str, methods: Sequence[str], reduction: str | None = None, *, seed: int = 0
) -> Mapping[str, Found]:
    """Cluster one cohort, count on the other, with every method that takes the input; no label but for the count."""
    X, Y = fit.inputs[name], test.inputs[name]
    if reduction is not None:
        kind: type[Reduction] = catalogue.load("verdict.reductions", reduction)
        model = kind().fit(X)
        count = model.explaining(0.95)
        X, Y = model.apply(X)[:, :count], model.apply(Y)[:, :count]
    return {
        method: _counted(catalogue.load("verdict.clusters", method)().fit(X, seed=seed).predict(Y), test.is_defective)
        for method in methods
    }


def _counted(nok: Bool[np.ndarray, " n"], truth: Bool[np.ndarray, " n"]) -> Found:
    return Found(float(nok[truth].mean()), float(nok[~truth].mean()))


def _jobs_for(jobs: np.ndarray, names: np.ndarray, layers: int) -> int:
    """How many of the named jobs, in their order, hold so many layers."""
    sizes = np.array([(jobs == name).sum() for name in names])
    return int(np.searchsorted(np.cumsum(sizes), layers)) + 1
