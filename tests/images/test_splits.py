from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.images.splits import split_jobs
from layerwatch.records import DataError


@given(st.sets(st.text(min_size=1, max_size=3), min_size=3, max_size=40), st.integers(0, 9))
def test_every_job_lands_in_exactly_one_group(jobs: set[str], seed: int) -> None:
    groups = split_jobs(sorted(jobs), (0.6, 0.3, 0.1), seed=seed)
    assert sorted(job for group in groups for job in group) == sorted(jobs)
    assert all(groups)
    assert groups == split_jobs(sorted(jobs, reverse=True), (0.6, 0.3, 0.1), seed=seed)


def test_shares_and_seed_count() -> None:
    jobs = [f"job-{i}" for i in range(100)]
    assert [len(group) for group in split_jobs(jobs, (0.7, 0.2, 0.1))] == [69, 20, 11]
    assert split_jobs(jobs, (0.5, 0.5), seed=1) != split_jobs(jobs, (0.5, 0.5), seed=2)


def test_too_few_jobs() -> None:
    with pytest.raises(DataError, match="1 jobs cannot be split into 2 groups"):
        split_jobs(["a"], (0.5, 0.5))
