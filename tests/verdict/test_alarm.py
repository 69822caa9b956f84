from __future__ import annotations

import math
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layerwatch.records import Region, UsageError, Verdict
from layerwatch.verdict.alarm import AlarmRules, Change, JobAlarms
from layerwatch.verdict.objects import Sighting, Tracker

HERE, THERE = 10, 60  # px, columns of two places
Step = tuple[float, tuple[int, ...]] | str  # score and places, or the kind of a fault


def rules(**other: float) -> AlarmRules:
    return AlarmRules(**{"line": 1.0, "critical_layers": 99, "critical_area": 1e9, **other})  # type: ignore[arg-type]


def region(column: int, amplitude: float = 2.0) -> Region:
    return Region(1, column + 2.0, 12.0, 16.0, 4.0, amplitude, (10, column, 14, column + 4))


def verdict(layer: int, score: float, word: Literal["OK", "NOK", "FAULT"] | None = None, reason: str = "") -> Verdict:
    return Verdict("job", layer, word or ("NOK" if score > 1 else "OK"), score, reason=reason)


def run(alarms: JobAlarms, steps: list[Step], start: int = 0) -> list[tuple[int, Change]]:
    """Layer by layer: a score with the columns of its places, or a fault."""
    told: list[tuple[int, Change]] = []
    for layer, step in enumerate(steps, start):
        if isinstance(step, str):
            changes = alarms.take(verdict(layer, math.nan, "FAULT", f"{step}: lost; look at the cable"))
        else:
            sightings = [Sighting(region(column), 1.5, (layer + 1) * 0.5) for column in step[1]]
            changes = alarms.take(verdict(layer, step[0]), sightings)
        told += [(layer, change) for change in changes]
    return told


def job(**other: float) -> JobAlarms:
    return JobAlarms(rules(**other), Tracker(1.0, 0.5))


def kinds(told: list[tuple[int, Change]]) -> list[tuple[int, str, int]]:
    return [(layer, change.kind, change.alarm.number) for layer, change in told]


QUIET: Step = (0.0, ())
BELOW: Step = (0.5, (HERE,))
ABOVE: Step = (2.0, (HERE,))
ELSEWHERE: Step = (3.0, (THERE,))


def test_above_the_line_it_is_raised_grows_and_clears_after_five_sound_layers() -> None:
    told = run(job(), [QUIET, ABOVE, ABOVE, *[QUIET] * 7])
    assert kinds(told) == [(1, "raised", 1), (2, "grown", 1), (7, "cleared", 1)]
    assert told[-1][1].alarm == told[-2][1].alarm


def test_a_score_on_the_line_or_none_raises_nothing() -> None:
    assert not run(job(), [(1.0, (HERE,)), (math.nan, (HERE,)), BELOW])


def test_the_onset_is_the_first_sight_also_below_the_line() -> None:
    (_, change), *_ = run(job(), [QUIET, BELOW, BELOW, ABOVE])
    assert (change.alarm.first_layer, change.alarm.raised_layer, change.alarm.delay) == (1, 3, 2)


def test_the_verdicts_own_regions_do_where_no_sightings_are_given() -> None:
    alarms = job()
    (raised,) = alarms.take(Verdict("job", 4, "NOK", 2.0, regions=(region(HERE),)))
    assert raised.alarm.objects[0].first_layer == 4
    assert "high" not in raised.alarm.text


def test_its_own_objects_below_the_line_keep_it_open_others_do_not() -> None:
    assert kinds(run(job(clear_after=2), [ABOVE, QUIET, BELOW, QUIET, QUIET]))[1:] == [
        (2, "grown", 1),
        (4, "cleared", 1),
    ]
    other: Step = (0.5, (THERE,))
    assert kinds(run(job(clear_after=2), [ABOVE, other, other]))[1:] == [(2, "cleared", 1)]


def test_a_layer_off_the_usual_but_below_the_line_neither_clears_nor_keeps() -> None:
    alarms = job(clear_after=2)
    run(alarms, [ABOVE, QUIET])
    assert not alarms.take(verdict(2, 0.9, "NOK"), [])
    assert [change.kind for change in alarms.take(verdict(3, 0.0), [])] == ["cleared"]


def test_persistence_wants_layers_in_a_row_and_forgets_none_of_them() -> None:
    told = run(job(persistence=2), [ELSEWHERE, QUIET, ELSEWHERE, ABOVE])
    assert kinds(told) == [(3, "raised", 1)]
    assert len(told[0][1].alarm.objects) == 2


def test_new_objects_join_an_open_alarm_and_reopen_one_that_has_just_cleared() -> None:
    told = run(job(clear_after=1, group_layers=3), [ABOVE, ELSEWHERE, QUIET, QUIET, QUIET, (2.0, (100,))])
    assert kinds(told) == [(0, "raised", 1), (1, "grown", 1), (2, "cleared", 1), (5, "reopened", 1)]
    assert [len(change.alarm.objects) for _, change in told] == [1, 2, 2, 3]
    assert told[-1][1].alarm.score == 3.0
    assert told[-1][1].alarm.raised_layer == 0


def test_later_than_that_it_is_another_alarm() -> None:
    told = run(job(clear_after=1, group_layers=3), [ABOVE, QUIET, *[QUIET] * 3, ABOVE])
    assert kinds(told)[-1] == (5, "raised", 2)


def test_the_same_object_comes_back_to_its_alarm_however_small_the_group() -> None:
    assert kinds(run(job(clear_after=1, group_layers=0), [ABOVE, QUIET, QUIET, ABOVE]))[-1] == (3, "reopened", 1)


@pytest.mark.parametrize("rule", [{"critical_layers": 3}, {"critical_area": 16.0}, {"critical_amplitude": 2.0}])
def test_each_rule_makes_it_critical_and_it_stays_so(rule: dict[str, float]) -> None:
    told = run(job(**rule), [ABOVE, ABOVE, ABOVE, ABOVE])
    assert [change.alarm.level for _, change in told][-2:] == ["critical", "critical"]
    assert run(job(), [ABOVE] * 4)[-1][1].alarm.level == "minor"


def test_turning_critical_is_told_once() -> None:
    assert [kind for _, kind, _ in kinds(run(job(critical_layers=3), [ABOVE] * 5))] == [
        "raised", "grown", "worse", "grown", "grown",
    ]  # fmt: skip


def test_faults_of_a_kind_are_one_alarm_that_clears_after_two_judged_layers() -> None:
    told = run(job(), ["dropped", "dropped", QUIET, "dropped", QUIET, QUIET, "dropped"])
    assert kinds(told) == [
        (0, "raised", 1), (1, "grown", 1), (3, "grown", 1), (5, "cleared", 1), (6, "raised", 2),
    ]  # fmt: skip
    assert [change.alarm.text for _, change in told[1:3]] == ["dropped: layers 0 to 1", "dropped: 3 of layers 0 to 3"]
    assert {change.alarm.level for _, change in told} == {"fault"}


def test_faults_of_two_kinds_are_two_alarms() -> None:
    assert kinds(run(job(), ["dropped", "torn", "dropped"])) == [(0, "raised", 1), (1, "raised", 2), (2, "grown", 1)]


def test_a_kind_that_is_given_goes_before_the_reason() -> None:
    (change,) = job().take(verdict(0, math.nan, "FAULT", "words: more"), fault_kind="gain")
    assert change.alarm.text == "gain: layer 0"


def test_a_fault_neither_clears_a_defect_nor_keeps_it_and_never_joins_it() -> None:
    told = run(job(clear_after=2), [ABOVE, QUIET, "dropped", "dropped", "dropped", QUIET])
    assert [one for one in kinds(told) if one[2] == 1] == [(0, "raised", 1), (5, "cleared", 1)]
    assert {change.alarm.kind for _, change in told if change.alarm.number == 2} == {"fault"}


def test_open_alarms_are_those_that_have_not_cleared() -> None:
    alarms = job()
    run(alarms, [ABOVE, "dropped"])
    assert [(one.number, one.kind) for one in alarms.open] == [(1, "defect"), (2, "fault")]
    run(alarms, [QUIET] * 5, start=2)
    assert alarms.open == ()


def test_an_alarm_without_a_place_is_raised_all_the_same() -> None:
    ((_, change),) = run(job(), [(2.0, ())])
    assert change.alarm.text == "defect without a place: layer 0"


steps = st.lists(
    st.sampled_from([QUIET, BELOW, ABOVE, ELSEWHERE, (2.0, (HERE, THERE)), "dropped", "torn"]), max_size=60
)


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(1, 3), st.integers(1, 3), st.integers(0, 5))
def test_any_job_opens_grows_and_clears_in_order_and_again_the_same(
    layers: list[Step], clear_after: int, persistence: int, group: int
) -> None:
    rule = {"clear_after": clear_after, "persistence": persistence, "group_layers": group, "critical_layers": 4}
    alarms = job(**rule)
    told = run(alarms, layers)
    assert repr(run(job(**rule), layers)) == repr(told)
    is_open: dict[int, bool] = {}
    for layer, change in told:
        number, now = change.alarm.number, change.alarm
        assert is_open.get(number) is {"raised": None, "reopened": False}.get(change.kind, True)
        is_open[number] = change.kind != "cleared"
        assert now.first_layer <= now.raised_layer <= now.last_layer <= layer
        assert (now.kind == "fault") == (now.level == "fault") == math.isnan(now.score)
    assert {one.number for one in alarms.open} == {number for number, still in is_open.items() if still}


def test_the_golden_text() -> None:
    alarms = JobAlarms(AlarmRules(line=1.0, unit="K"), Tracker(1.0, 0.5))
    told = run(alarms, [ABOVE, ABOVE, (2.0, (HERE, THERE))], start=12)
    assert told[-1][1].alarm.text == (
        "defect on part 1 at x 12.0 mm, y 12.0 mm: layers 12 to 14, 4.0 mm across, 16.0 mm2, 1.50 mm high, +2 K, "
        "1.5 mm from the edge; and 1 more place"
    )


@pytest.mark.parametrize("wrong", [{"line": math.nan}, {"clear_after": 0}, {"persistence": 0}])
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="give"):
        rules(**wrong)
