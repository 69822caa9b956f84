from __future__ import annotations

import numpy as np
import pytest

from layerwatch.evaluation.tables import METHODS, Cohort, Origin, balanced_halves, table2
from layerwatch.records import DataError

DEFECTS = ("porous", "shift")


def cohort(gap: float, *, jobs: int = 8, dimension: int = 6) -> Cohort:
    """Healthy layers around 0, defective ones ``gap`` away, six layers a job."""
    rng = np.random.default_rng(3)
    kinds: list[str] = []
    names: list[str] = []
    for kind in ("healthy", "healthy", *DEFECTS):
        for job in range(jobs):
            names += [f"{kind}-{len(names)}-{job}"] * 6
            kinds += [kind] * 6
    wide = rng.normal(size=(len(kinds), dimension)) + gap * np.array([[kind != "healthy"] for kind in kinds])
    return Cohort({"wide": wide, "score": wide[:, :1]}, tuple(names), tuple(kinds))


def test_halves_share_no_job_and_are_balanced() -> None:
    first, second = balanced_halves(cohort(1.0), seed=0)
    assert not set(first.jobs) & set(second.jobs)
    for half in (first, second):
        counts = {kind: half.kinds.count(kind) for kind in set(half.kinds)}
        assert counts["porous"] == counts["shift"]
        assert counts["healthy"] == counts["porous"] + counts["shift"]


def test_far_apart_everything_is_told_apart_and_side_by_side_nothing_is() -> None:
    far = table2(cohort(30.0), Origin("made up", 4.0, 0))
    near = table2(cohort(0.0), Origin("made up", 4.0, 0))
    for row in far:
        if row.input != "wide":  # raw vectors far from both medians are an open question, scores are not
            assert min(v for v in (row.k_means, row.otsu, row.gmm) if v is not None) == 1.0
    best = [row for row in near if row.mapping == "best"]
    assert all(0.5 <= row.k_means <= 0.75 for row in best if row.k_means is not None)


def test_rows_name_their_input_and_what_a_method_cannot_take_is_blank() -> None:
    rows = table2(cohort(3.0), Origin("made up", 4.0, 7))
    assert {row.input for row in rows} == {"wide", "PCA on wide", "score"}
    assert {(row.mapping, row.seed) for row in rows} == {("cohort", 7), ("best", 7)}
    for row in rows:
        assert (row.otsu is None) == (row.dimension > 1)
        assert row.search == ("variance" if row.input.startswith("PCA") else "none")
        assert set(METHODS) <= set(row.as_dict())


def test_the_same_seed_gives_the_same_table() -> None:
    assert table2(cohort(1.0), Origin("made up", 4.0, 1)) == table2(cohort(1.0), Origin("made up", 4.0, 1))


def test_one_job_of_a_kind_cannot_be_split() -> None:
    with pytest.raises(DataError, match="1 job with porous layers cannot be split"):
        table2(cohort(1.0, jobs=1), Origin("made up", 4.0, 0))
