"""Features of a mixed cohort -> Table 2: how well each clustering parts healthy from defective, labels only counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from layerwatch import catalogue
from layerwatch.evaluation.cohorts import Cohort, Mix, Split, halves, largest_mix
from layerwatch.evaluation.components import Search, reduced
from layerwatch.evaluation.metrics import accuracy
from layerwatch.records import Progress, silent

MAPPINGS = ("cohort", "best")
COVARIANCES = ("full", "diag")
_FULL_UP_TO = 256  # features, for which full covariances are tried at all

Each = Callable[[Callable[[str], Any], Sequence[str]], Iterable[tuple[str, Any]]]  # item and result, in any order


def inline(work: Callable[[str], Any], items: Sequence[str]) -> Iterable[tuple[str, Any]]:
    """One item after the other."""
    return ((item, work(item)) for item in items)


@dataclass(frozen=True)
class Row:
    """One line of Table 2; a method that cannot take the input has None."""

    data: str
    severity: float
    split: str  # "job", or the paper's "layer"
    search: str  # how the number of components was found: "none", "variance", which needs no label, or the paper's
    mapping: str  # which side is NOK: "cohort" says it without labels, "best" with them
    covariance: str  # of the Gaussian mixture
    input: str
    dimension: int
    accuracy: Mapping[str, float | None]  # by cluster method
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON and CSV: a column for each cluster method."""
        plain = {key: value for key, value in vars(self).items() if key not in {"accuracy", "seed"}}
        return {**plain, **self.accuracy, "seed": self.seed}


@dataclass(frozen=True)
class Origin:
    """What a table's rows say of their data."""

    data: str  # preset
    severity: float
    seed: int


@dataclass(frozen=True)
class Wanted:
    """Which rows and columns a table has."""

    mix: Mix | None = None  # None: the largest balanced one
    split: Split = "job"
    searches: tuple[Search, ...] = ("variance",)
    reductions: tuple[str, ...] = ("pca",)
    methods: tuple[str, ...] = ("isolation_forest", "k_means", "otsu", "gmm")

    @classmethod
    def whole(cls, split: Split = "job", mix: Mix | None = None) -> Wanted:
        """The paper's table: its mix, its search beside one without labels, everything on the shelves."""
        return cls(mix or Mix(), split, ("variance", "paper"), catalogue.names("verdict.reductions"), methods())


def methods() -> tuple[str, ...]:
    """All cluster methods: the four of Table 2 in its order, then the others."""
    first = Wanted().methods
    return (*first, *(name for name in catalogue.names("verdict.clusters") if name not in first))


def table2(
    cohort: Cohort, origin: Origin, wanted: Wanted = Wanted(), *, each: Each = inline, progress: Progress = silent
) -> tuple[Row, ...]:
    """Cluster one cohort and count on another.

    Args:
        cohort: layers with all inputs.
        origin: what the rows say of them.
        wanted: which rows and columns.
        each: who does the work, line by line; the rows do not depend on it.
        progress: told all along.

    Raises:
        DataError: too few layers or jobs of a kind, or no defective layer.
    """
    fit, test = halves(cohort, wanted.mix or largest_mix(cohort), split=wanted.split, seed=origin.seed)
    lines = {f"{reduction} on {name}": (name, reduction) for name, reduction in _lines(fit, wanted)}
    found: dict[str, list[Row]] = {}
    for line, rows in each(_Line(fit, test, origin, wanted, lines), list(lines)):
        found[line] = rows
        progress("Table 2", len(found), len(lines))
    return tuple(row for line in lines for row in found[line])


def _lines(cohort: Cohort, wanted: Wanted) -> Iterator[tuple[str, str]]:
    """Input and reduction of each line of the table; no reduction: as it is."""
    for name, X in cohort.inputs.items():
        yield name, ""
        if X.shape[1] > 1:
            yield from ((name, reduction) for reduction in wanted.reductions)


@dataclass(frozen=True, eq=False)
class _Line:
    """The work on one line: its rows, for every search, covariance and mapping."""

    fit: Cohort
    test: Cohort
    origin: Origin
    wanted: Wanted
    lines: Mapping[str, tuple[str, str]]

    def __call__(self, line: str) -> list[Row]:
        name, reduction = self.lines[line]
        X, Y = self.fit.inputs[name], self.test.inputs[name]
        if not reduction:
            return self._rows(name, "none", X, Y)
        rows, wanted = list[Row](), self.wanted
        found = reduced(reduction, X, Y, self.test.is_defective, wanted.searches, self.origin.seed)
        for search, count in found.chosen.items():
            rows += self._rows(f"{found.label} on {name}", search, found.fit[:, :count], found.test[:, :count])
        return rows

    def _rows(self, label: str, search: str, X: np.ndarray, Y: np.ndarray) -> list[Row]:
        origin, wanted, truth, rows = self.origin, self.wanted, self.test.is_defective, list[Row]()
        nok = {method: _divided(method, X, Y, origin.seed) for method in wanted.methods if method != "gmm"}
        for covariance in _covariances(X.shape[1]) if "gmm" in wanted.methods else COVARIANCES[:1]:
            sides = dict(nok)
            if "gmm" in wanted.methods:
                sides["gmm"] = _divided("gmm", X, Y, origin.seed, covariance=covariance)
            for mapping in MAPPINGS:
                cells = {method: _counted(sides[method], truth, mapping) for method in wanted.methods}
                told = (origin.data, origin.severity, wanted.split, search, mapping, covariance)
                rows.append(Row(*told, label, X.shape[1], cells, origin.seed))
        return rows


def _covariances(dimension: int) -> tuple[str, ...]:
    """Of one feature both are the same."""
    return COVARIANCES if dimension > 1 else COVARIANCES[:1]


def _counted(nok: Bool[np.ndarray, " m"] | None, truth: Bool[np.ndarray, " m"], mapping: str) -> float | None:
    return None if nok is None else accuracy(nok, truth, best_mapping=mapping == "best")


def _divided(method: str, X: np.ndarray, Y: np.ndarray, seed: int, **settings: Any) -> Bool[np.ndarray, " m"] | None:
    """Which of Y are NOK; None where the method cannot take so many features."""
    kind = catalogue.load("verdict.clusters", method)
    most = _FULL_UP_TO if settings.get("covariance") == "full" else kind.max_dimension
    if most is not None and X.shape[1] > most:
        return None
    return np.asarray(kind(**settings).fit(X, seed=seed).predict(Y))
