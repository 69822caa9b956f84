"""Names of jobs -> disjoint groups of jobs; layers of one job never part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerwatch.records import DataError


def split_jobs(jobs: Sequence[str], shares: Sequence[float], *, seed: int = 0) -> tuple[tuple[str, ...], ...]:
    """Deal shuffled jobs into groups of about the given shares (which sum to 1), each with at least one job.

    Raises:
        DataError: fewer jobs than groups.
    """
    if len(jobs) < len(shares):
        raise DataError(f"{len(jobs)} jobs cannot be split into {len(shares)} groups; give at least {len(shares)} jobs")
    order = np.random.default_rng(seed).permutation(len(jobs))
    ordered = sorted(jobs)
    spare = len(jobs) - len(shares)
    ends = np.rint(np.cumsum(shares) * spare).astype(int) + np.arange(1, len(shares) + 1)
    return tuple(tuple(sorted(ordered[i] for i in group)) for group in np.split(order, ends[:-1]))
