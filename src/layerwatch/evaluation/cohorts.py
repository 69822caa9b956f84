"""Labelled layers with the inputs of Table 2 -> mixed cohorts to cluster and to count on (section 5.2 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int64

from layerwatch.records import DataError

Split = Literal["job", "layer"]
SPLITS: tuple[Split, ...] = ("job", "layer")


@dataclass(frozen=True, eq=False)
class Cohort:
    """Every input of Table 2 for the same layers."""

    inputs: Mapping[str, Float[np.ndarray, "n _"]]  # name -> one vector a layer; scores are vectors of length 1
    jobs: tuple[str, ...]
    kinds: tuple[str, ...]  # "healthy" or the defect's name

    @property
    def is_defective(self) -> Bool[np.ndarray, " n"]:
        """Known to the counting alone."""
        return np.array([kind != "healthy" for kind in self.kinds], bool)

    @property
    def defects(self) -> tuple[str, ...]:
        """Kinds that are not healthy, in alphabetical order."""
        return tuple(sorted(set(self.kinds) - {"healthy"}))

    def take(self, chosen: Int64[np.ndarray, " k"]) -> Cohort:
        """Some of the layers."""
        inputs = {name: X[chosen] for name, X in self.inputs.items()}
        return Cohort(inputs, tuple(self.jobs[i] for i in chosen), tuple(self.kinds[i] for i in chosen))

    def only(self, names: Sequence[str]) -> Cohort:
        """The same layers with some of the inputs."""
        return Cohort({name: self.inputs[name] for name in names}, self.jobs, self.kinds)


@dataclass(frozen=True)
class Mix:
    """How many layers a clustering sees, and how many it is counted on; the defaults are the paper's."""

    healthy: int = 300
    each: int = 60  # of each defect
    test_healthy: int = 200
    test_each: int = 40


def halves(cohort: Cohort, mix: Mix, *, split: Split = "job", seed: int = 0) -> tuple[Cohort, Cohort]:
    """A cohort to cluster and one to count on.

    Args:
        cohort: all layers.
        mix: how many of which kind.
        split: "job": no job has layers in both, as a plant meets them; "layer": any layer may go anywhere, as in the
            paper, which flatters where layers of a job are alike.
        seed: of the choice.

    Raises:
        DataError: too few layers or jobs of a kind.
    """
    rng, kinds, jobs = np.random.default_rng([seed, 2]), np.array(cohort.kinds), np.array(cohort.jobs)
    fit, test = list[np.ndarray](), list[np.ndarray]()
    for kind in ("healthy", *cohort.defects):
        wanted = (mix.healthy, mix.test_healthy) if kind == "healthy" else (mix.each, mix.test_each)
        rows = np.flatnonzero(kinds == kind)
        first, second = _parted(rows, jobs[rows] if split == "job" else rows, wanted, rng)
        if len(first) < wanted[0] or len(second) < wanted[1]:
            raise DataError(
                f"{len(rows)} {kind} layers of {len(set(jobs[rows]))} jobs do not give {wanted[0]} to cluster and "
                f"{wanted[1]} to count on; print more jobs"
            )
        fit.append(first)
        test.append(second)
    return cohort.take(np.sort(np.concatenate(fit))), cohort.take(np.sort(np.concatenate(test)))


def _parted(
    rows: Int64[np.ndarray, " n"], groups: np.ndarray, wanted: tuple[int, int], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of whole groups for either side, in the proportion that is wanted, then as many as are wanted."""
    names = rng.permutation(np.unique(groups))
    share = wanted[0] / max(sum(wanted), 1)
    cut = min(max(round(share * len(names)), 1), len(names) - 1) if len(names) > 1 else len(names)
    inside = np.isin(groups, names[:cut])
    return rng.permutation(rows[inside])[: wanted[0]], rng.permutation(rows[~inside])[: wanted[1]]


def largest_mix(cohort: Cohort) -> Mix:
    """The largest balanced mix that halves of these jobs surely give: half healthy, each defect equally often.

    Raises:
        DataError: no healthy or no defective layer, or a kind with one job only.
    """
    if not cohort.defects or "healthy" not in cohort.kinds:
        raise DataError("Table 2 needs healthy and defective layers; give a set with both")
    kinds, jobs = np.array(cohort.kinds), np.array(cohort.jobs)
    fewest: dict[str, int] = {}
    for kind in ("healthy", *cohort.defects):
        counts = np.sort(np.unique(jobs[kinds == kind], return_counts=True)[1])
        if len(counts) < 2:
            raise DataError(
                f"{len(counts)} job with {kind} layers cannot be split in two; print at least two jobs a kind"
            )
        fewest[kind] = int(counts[: len(counts) // 2].sum())
    each = min(min(fewest[kind] for kind in cohort.defects), fewest["healthy"] // len(cohort.defects))
    if each < 1:
        raise DataError("too few healthy layers to balance the defective ones; print more healthy jobs")
    return Mix(each * len(cohort.defects), each, each * len(cohort.defects), each)
