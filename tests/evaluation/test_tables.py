from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from layerwatch.crew.processes import Processes
from layerwatch.evaluation.cohorts import Cohort, Mix, halves, largest_mix
from layerwatch.evaluation.components import steps
from layerwatch.evaluation.tables import Origin, Wanted, methods, table2
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


def test_halves_by_job_share_no_job_and_are_balanced() -> None:
    mixed = cohort(1.0)
    mix = largest_mix(mixed)
    first, second = halves(mixed, mix, seed=0)
    assert not set(first.jobs) & set(second.jobs)
    for half in (first, second):
        assert half.kinds.count("porous") == half.kinds.count("shift") == mix.each
        assert half.kinds.count("healthy") == mix.healthy == 2 * mix.each


def test_the_papers_random_split_shares_jobs_but_no_layer() -> None:
    mixed = cohort(1.0)
    mix = Mix(40, 20, 20, 10)
    first, second = halves(mixed, mix, split="layer", seed=0)
    assert set(first.jobs) & set(second.jobs)
    rows = [{tuple(row) for row in half.inputs["wide"]} for half in (first, second)]
    assert not rows[0] & rows[1]
    for half, healthy, each in ((first, 40, 20), (second, 20, 10)):
        assert [half.kinds.count(k) for k in ("healthy", *DEFECTS)] == [healthy, each, each]


def test_jobs_are_parted_in_the_proportion_that_is_wanted() -> None:
    first, second = halves(cohort(1.0, jobs=10), Mix(60, 36, 40, 24), seed=1)
    assert (len(set(first.jobs)), len(set(second.jobs))) == (12 + 6 + 6, 8 + 4 + 4)


def test_far_apart_everything_is_told_apart_and_side_by_side_nothing_is() -> None:
    far = table2(cohort(30.0), Origin("made up", 4.0, 0))
    near = table2(cohort(0.0), Origin("made up", 4.0, 0))
    for row in far:
        if row.input != "wide":  # raw vectors far from both medians are an open question, scores are not
            assert min(row.accuracy[m] or 1.0 for m in ("k_means", "otsu", "gmm")) == 1.0
    best = [row for row in near if row.mapping == "best"]
    assert all(0.5 <= (row.accuracy["k_means"] or 0) <= 0.75 for row in best)


def test_rows_name_their_input_and_what_a_method_cannot_take_is_blank() -> None:
    rows = table2(cohort(3.0), Origin("made up", 4.0, 7))
    assert {row.input for row in rows} == {"wide", "PCA on wide", "score"}
    assert {(row.mapping, row.seed) for row in rows} == {("cohort", 7), ("best", 7)}
    for row in rows:
        assert (row.accuracy["otsu"] is None) == (row.dimension > 1)
        assert row.search == ("variance" if row.input.startswith("PCA") else "none")
        assert list(row.as_dict())[-6:] == ["dimension", "isolation_forest", "k_means", "otsu", "gmm", "seed"]


def test_the_whole_table_has_everything_on_the_shelves_twice_searched() -> None:
    wanted = replace(Wanted.whole(), mix=Mix(40, 20, 20, 10))
    rows = table2(cohort(3.0), Origin("made up", 4.0, 0), wanted)
    assert {(row.input, row.search) for row in rows if " on " in row.input} == {
        (f"{label} on wide", search) for label in ("PCA", "poly kPCA", "rbf kPCA") for search in ("variance", "paper")
    }
    assert all(set(row.accuracy) == set(methods()) for row in rows)
    by_search = {row.search: row for row in rows if row.input == "PCA on wide" and row.mapping == "best"}
    forest = [by_search[search].accuracy["isolation_forest"] or 0 for search in ("paper", "variance")]
    assert forest[0] >= forest[1]  # the paper's search looks at the labels


def test_the_papers_search_tries_every_number_to_30_and_then_a_tenth_more() -> None:
    tried = list(steps())
    assert tried[:30] == list(range(1, 31))
    assert all(1.1 * a <= b < 1.1 * a + 1 for a, b in itertools.pairwise(tried[29:]))
    assert 180 < tried[-1] <= 200


def test_long_vectors_have_no_full_covariance() -> None:
    rows = table2(cohort(3.0, dimension=300), Origin("made up", 4.0, 0))
    raw = {row.covariance: row.accuracy["gmm"] for row in rows if row.input == "wide"}
    assert raw["full"] is None
    assert raw["diag"] is not None


def test_the_same_seed_gives_the_same_table() -> None:
    assert table2(cohort(1.0), Origin("made up", 4.0, 1)) == table2(cohort(1.0), Origin("made up", 4.0, 1))


def test_who_does_the_work_does_not_change_the_table() -> None:
    plain = table2(cohort(1.0), Origin("made up", 4.0, 1))
    assert table2(cohort(1.0), Origin("made up", 4.0, 1), each=Processes(2).each) == plain


def test_one_job_of_a_kind_cannot_be_split() -> None:
    with pytest.raises(DataError, match="1 job with porous layers cannot be split"):
        table2(cohort(1.0, jobs=1), Origin("made up", 4.0, 0))
    with pytest.raises(DataError, match="6 porous layers of 1 jobs do not give 5 to cluster and 3 to count on"):
        halves(cohort(1.0, jobs=1), Mix(5, 5, 3, 3))
