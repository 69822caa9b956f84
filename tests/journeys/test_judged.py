"""Rules of claims: yes, no, or that the figures decide nothing."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from layerwatch import catalogue
from layerwatch.evaluation.metrics import Estimate
from layerwatch.job.machine import default_machine
from layerwatch.journeys.reproduction.anogan import Searched
from layerwatch.journeys.reproduction.cells import DIFFERENCE, REDUCTIONS, STACK
from layerwatch.journeys.reproduction.checked import SHELF
from layerwatch.journeys.reproduction.judged import HOLDS, OPEN, by_difference, is_chance, yes_or_no
from layerwatch.journeys.reproduction.paper_table2 import METHODS, PAPER
from layerwatch.journeys.reproduction.protocol import quick
from layerwatch.journeys.reproduction.short_runs import Merit, Pair
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.synthesise import crew_of

GOOD, CHANCE, BAD = Estimate(0.8, 0.7, 0.9), Estimate(0.55, 0.45, 0.65), Estimate(0.3, 0.2, 0.4)
UP, EVEN, DOWN = Estimate(0.2, 0.1, 0.3), Estimate(0.02, -0.1, 0.15), Estimate(-0.2, -0.3, -0.1)


def claim(name: str) -> ModuleType:
    return importlib.import_module(f"layerwatch.{SHELF}.{name}")


def checked(name: str) -> tuple[str, str]:
    nothing = Workshop(quick(), (), default_machine(), Path("nowhere"), crew_of("processes", 1))
    found = catalogue.load(SHELF, name)().check(nothing)
    assert found.holds in HOLDS
    return found.holds, found.ours


def test_a_difference_within_its_spread_decides_nothing() -> None:
    assert [by_difference(difference) for difference in (UP, EVEN, DOWN)] == ["yes", OPEN, "no"]
    assert [yes_or_no(True), yes_or_no(False)] == ["yes", "no"]


def test_scores_that_find_nothing_are_at_chance_also_below_one_half() -> None:
    assert is_chance([CHANCE, BAD])
    assert not is_chance([CHANCE, GOOD])


@pytest.mark.parametrize(
    ("pair", "holds"),
    [(Pair(GOOD, CHANCE, UP), "yes"), (Pair(CHANCE, GOOD, DOWN), "no"), (Pair(GOOD, GOOD, EVEN), OPEN)],
)
def test_two_trainings_are_compared_where_one_of_them_finds_something(pair: Pair, holds: str) -> None:
    assert pair.holds == holds
    assert Pair(CHANCE, BAD, pair.difference).holds == OPEN


def test_the_last_layer_is_not_judged_where_no_layer_finds_anything() -> None:
    holds = claim("last_layer_is_most_discriminative")._holds
    assert holds([Pair(BAD, BAD, DOWN), Pair(BAD, BAD, DOWN)]) == OPEN
    assert holds([Pair(GOOD, CHANCE, UP), Pair(GOOD, CHANCE, UP)]) == "yes"
    assert holds([Pair(GOOD, CHANCE, UP), Pair(GOOD, GOOD, EVEN)]) == OPEN
    assert holds([Pair(GOOD, CHANCE, UP), Pair(CHANCE, GOOD, DOWN)]) == "no"


def test_healthy_scores_must_be_lower_than_those_of_every_defect() -> None:
    holds = claim("healthy_scores_are_lower")._holds
    assert holds({("A", "porous"): GOOD, ("A", "shift"): GOOD}) == "yes"
    assert holds({("A", "porous"): GOOD, ("A", "shift"): BAD}) == "no"
    assert holds({("A", "porous"): GOOD, ("A", "shift"): CHANCE}) == OPEN


def test_critic_steps_are_judged_by_every_round() -> None:
    holds = claim("three_critic_steps_are_faster")._holds
    assert [holds([1.4, 1.6]), holds([0.9, 1.6]), holds([0.8, 0.9])] == ["yes", OPEN, "no"]


def searches(monkeypatch: pytest.MonkeyPatch, by_steps: dict[int, tuple[float, tuple[float, ...]]]) -> None:
    passed = (9.0, 9.0)  # f-AnoGAN's A, which decides nothing
    found = {steps: Searched(seconds, scores, passed) for steps, (seconds, scores) in by_steps.items()}
    monkeypatch.setattr(claim("anogan_does_not_converge"), "searched", lambda shop, steps: found[steps])


def test_anogan_is_judged_by_whether_its_own_score_still_falls(monkeypatch: pytest.MonkeyPatch) -> None:
    searches(monkeypatch, {1750: (1.0, (5.0, 5.0)), 3500: (2.0, (4.0, 4.0)), 7000: (4.0, (3.9, 3.0))})
    assert checked("anogan_does_not_converge")[0] == "yes"
    searches(monkeypatch, {1750: (1.0, (5.0, 5.0)), 3500: (2.0, (4.0, 4.0)), 7000: (4.0, (3.9, 3.95))})
    assert checked("anogan_does_not_converge")[0] == "no"
    searches(monkeypatch, {1750: (1.0, (5.0, 5.0)), 3500: (1.1, (4.0, 4.0)), 7000: (1.2, (3.9, 3.0))})
    assert checked("anogan_does_not_converge")[0] == OPEN  # the times were measured beside other work


def table(monkeypatch: pytest.MonkeyPatch, name: str, accuracies: dict[tuple[str, str, str], float]) -> None:
    """Cells by search or mapping, input and method; .5 for all others."""

    def cells(shop: object, *inputs: str, search: str = "paper", mapping: str = "best") -> dict[tuple[str, str], float]:
        return {
            (one, method): max(accuracies.get((how, one, method), 0.5) for how in (search, mapping))
            for one in inputs
            for method in METHODS
        }

    monkeypatch.setattr(claim(name), "cells", cells)


def test_a_reduced_row_can_be_the_best_one(monkeypatch: pytest.MonkeyPatch) -> None:
    name, forest = "difference_with_forest_is_best", "isolation_forest"
    table(monkeypatch, name, {("paper", DIFFERENCE, forest): 0.97})
    assert checked(name)[0] == "yes"
    reduced = f"PCA on {DIFFERENCE}"
    assert reduced in PAPER
    table(monkeypatch, name, {("paper", DIFFERENCE, forest): 0.97, ("paper", reduced, "gmm"): 0.99})
    holds, said = checked(name)
    assert (holds, f"{reduced}, gmm: 0.990" in said) == ("no", True)


def test_a_reduction_helps_only_where_both_searches_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "reduction_helps_forest"
    best = {(f"{REDUCTIONS[0]}{one}", "isolation_forest"): 0.9 for one in ("D_f", STACK)}
    both = {(search, *key): value for search in ("paper", "variance") for key, value in best.items()}
    table(monkeypatch, name, both)
    assert checked(name)[0] == "yes"
    table(monkeypatch, name, {key: value for key, value in both.items() if key[0] == "paper"})
    holds, said = checked(name)
    assert holds == "no"
    assert "search paper: holds" in said
    assert "search variance: does not hold" in said


def test_the_score_beats_the_vae_only_with_and_without_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    name, both = "score_beats_vae", ("best", "cohort")
    table(monkeypatch, name, {(how, "A", method): 0.8 for how in both for method in METHODS})
    assert checked(name)[0] == "yes"
    table(monkeypatch, name, {("best", "A", method): 0.8 for method in METHODS})
    holds, said = checked(name)
    assert (holds, "no label: does not hold" in said) == ("no", True)
    table(monkeypatch, name, {(how, "A", method): 0.56 for how in both for method in METHODS})
    assert checked(name)[0] == "no"  # better by .06, and at chance all the same


def test_methods_at_chance_do_not_suffer_from_many_features(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "forest_takes_many_features"
    table(monkeypatch, name, {("paper", DIFFERENCE, "isolation_forest"): 0.59})
    assert checked(name)[0] == OPEN
    table(monkeypatch, name, {("paper", DIFFERENCE, "isolation_forest"): 0.8})
    assert checked(name)[0] == "yes"


def test_a_training_that_was_not_timed_says_nothing_of_its_time() -> None:
    assert "trained in 90 s" in str(Merit({"A_D": GOOD}, 0.7, 90.0))
    untimed = str(Merit({"A_D": GOOD}, 0.7, None))
    assert "AUROC of A_D 0.800 [0.700, 0.900]" in untimed
    assert "trained in" not in untimed


def test_no_claim_is_attributed_to_a_table_that_does_not_make_it() -> None:
    longer = catalogue.load(SHELF, "longer_training_helps")
    assert longer.source != "Table 1"
    assert "no comparison" in longer.paper
