"""Features of a mixed cohort -> Table 2: how well each clustering parts healthy from defective, labels only counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int64

from layerwatch import catalogue
from layerwatch.evaluation.metrics import accuracy
from layerwatch.records import DataError, Progress, silent
from layerwatch.verdict.reduce import components_for, fit_reduction

METHODS = ("isolation_forest", "k_means", "otsu", "gmm")
MAPPINGS = ("cohort", "best")
_EXPLAINED = 0.95  # share of the variance that the components must explain; this search needs no label


@dataclass(frozen=True, eq=False)
class Cohort:
    """Every input of Table 2 for the same layers."""

    inputs: Mapping[str, Float[np.ndarray, "n _"]]  # name -> one vector a layer; scores are vectors of length 1
    jobs: tuple[str, ...]
    kinds: tuple[str, ...]  # "healthy" or the defect's name

    @property
    def is_defective(self) -> Bool[np.ndarray, " n"]:
        """Known to the counting alone."""
        return np.array([kind != "healthy" for kind in self.kinds])

    def take(self, chosen: Int64[np.ndarray, " k"]) -> Cohort:
        """Some of the layers."""
        inputs = {name: X[chosen] for name, X in self.inputs.items()}
        return Cohort(inputs, tuple(self.jobs[i] for i in chosen), tuple(self.kinds[i] for i in chosen))


@dataclass(frozen=True)
class Row:
    """One line of Table 2; a method that cannot take the input has None."""

    data: str
    severity: float
    split: str
    search: str  # how the number of components was found: "none", or "variance", which needs no label
    mapping: str  # which side is NOK: "cohort" says it without labels, "best" with them
    covariance: str  # of the Gaussian mixture
    input: str
    dimension: int
    isolation_forest: float | None
    k_means: float | None
    otsu: float | None
    gmm: float | None
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON and CSV."""
        return asdict(self)


@dataclass(frozen=True)
class Origin:
    """What a table's rows say of their data."""

    data: str  # preset
    severity: float
    seed: int


def table2(cohort: Cohort, origin: Origin, *, progress: Progress = silent) -> tuple[Row, ...]:
    """Cluster one half of the jobs and count on the other half, both balanced: half healthy, each defect equally often.

    Raises:
        DataError: fewer than two jobs of a kind, or no defective layer.
    """
    fit, test = balanced_halves(cohort, seed=origin.seed)
    named = list(_with_reductions(fit, test))
    rows: list[Row] = []
    for number, (name, X, Y, search) in enumerate(named):
        rows += _rows(name, X, Y, search, test.is_defective, origin)
        progress("Table 2", number + 1, len(named))
    return tuple(rows)


def balanced_halves(cohort: Cohort, *, seed: int) -> tuple[Cohort, Cohort]:
    """Two cohorts without a job in common, each with as many healthy as defective layers, defects equally often.

    Raises:
        DataError: a kind has fewer than two jobs.
    """
    rng = np.random.default_rng([seed, 2])
    kinds, jobs = np.array(cohort.kinds), np.array(cohort.jobs)
    halves: tuple[dict[str, np.ndarray], ...] = ({}, {})
    for kind in sorted(set(cohort.kinds)):
        own = rng.permutation(np.unique(jobs[kinds == kind]))
        if len(own) < 2:
            raise DataError(f"{len(own)} job with {kind} layers cannot be split in two; print at least two jobs a kind")
        for half, chosen in zip(halves, np.array_split(own, 2), strict=True):
            half[kind] = rng.permutation(np.flatnonzero((kinds == kind) & np.isin(jobs, chosen)))
    first, second = (cohort.take(_balanced(half)) for half in halves)
    return first, second


def _balanced(rows: Mapping[str, Int64[np.ndarray, " _"]]) -> Int64[np.ndarray, " k"]:
    defects = [kind for kind in rows if kind != "healthy"]
    if not defects or "healthy" not in rows:
        raise DataError("Table 2 needs healthy and defective layers; give a set with both")
    each = min(min(len(rows[d]) for d in defects), len(rows["healthy"]) // len(defects))
    if each < 1:
        raise DataError("too few healthy layers to balance the defective ones; print more healthy jobs")
    chosen = [rows[d][:each] for d in defects] + [rows["healthy"][: each * len(defects)]]
    return np.sort(np.concatenate(chosen))


def _with_reductions(fit: Cohort, test: Cohort) -> Iterator[tuple[str, np.ndarray, np.ndarray, str]]:
    """Every input as it is, and the long ones after PCA."""
    for name, X in fit.inputs.items():
        Y = test.inputs[name]
        yield name, X, Y, "none"
        if X.shape[1] > 1:
            reduction = fit_reduction("pca", X, components_for(_EXPLAINED, X))
            yield f"PCA on {name}", reduction.apply(X), reduction.apply(Y), "variance"


def _rows(
    name: str, X: np.ndarray, Y: np.ndarray, search: str, is_defective: Bool[np.ndarray, " n"], origin: Origin
) -> Sequence[Row]:
    settings, covariance = _settings(X.shape[1])
    nok = {method: _divided(method, settings.get(method, {}), X, Y, origin.seed) for method in METHODS}

    def row(mapping: str) -> Row:
        def cell(method: str) -> float | None:
            side = nok[method]
            return None if side is None else accuracy(side, is_defective, best_mapping=mapping == "best")

        return Row(
            data=origin.data,
            severity=origin.severity,
            split="job",
            search=search,
            mapping=mapping,
            covariance=covariance,
            input=name,
            dimension=X.shape[1],
            isolation_forest=cell("isolation_forest"),
            k_means=cell("k_means"),
            otsu=cell("otsu"),
            gmm=cell("gmm"),
            seed=origin.seed,
        )

    return [row(mapping) for mapping in MAPPINGS]


def _settings(dimension: int) -> tuple[dict[str, dict[str, Any]], str]:
    """Full covariances as long as they fit in memory, diagonal ones beyond."""
    covariance = "full" if dimension <= 256 else "diag"
    return {"gmm": {"covariance": covariance}}, covariance


def _divided(
    method: str, settings: Mapping[str, Any], X: np.ndarray, Y: np.ndarray, seed: int
) -> Bool[np.ndarray, " n"] | None:
    kind = catalogue.load("verdict.clusters", method)
    if kind.max_dimension is not None and X.shape[1] > kind.max_dimension:
        return None
    return np.asarray(kind(**settings).fit(X, seed=seed).predict(Y))
