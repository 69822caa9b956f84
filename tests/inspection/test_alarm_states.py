"""Proof A2: 10,000 moves of alarms, no illegal state, and a restart at any moment changes nothing."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from layerwatch.inspection.alarm_states import (
    ACTIONS,
    MOVES,
    AlarmState,
    as_json,
    due,
    moved,
    shelf_over,
    state_from,
)
from layerwatch.records import DataError, UsageError

# Written down once more by hand: what an operator may rely on.
LEGAL = {
    ("raised", "acknowledge"): "acknowledged", ("raised", "shelve"): "shelved",
    ("raised", "clear"): "cleared", ("raised", "escalate"): "escalated",
    ("escalated", "acknowledge"): "acknowledged", ("escalated", "shelve"): "shelved",
    ("escalated", "clear"): "cleared",
    ("acknowledged", "shelve"): "shelved", ("acknowledged", "clear"): "cleared",
    ("acknowledged", "reopen"): "raised",
    ("shelved", "shelve"): "shelved", ("shelved", "unshelve"): "raised", ("shelved", "clear"): "cleared",
    ("cleared", "reopen"): "raised",
}  # fmt: skip


class Alarms(RuleBasedStateMachine):
    """One alarm, its operators, the system's clock, and restarts."""

    steps = 0  # of all runs together

    def __init__(self) -> None:
        super().__init__()
        self.now = 1.7e9  # s
        self.state = AlarmState(at=self.now)

    @rule(action=st.sampled_from(ACTIONS), by=st.sampled_from(["", "Ada"]), ahead=st.sampled_from([-1.0, 60.0]))
    def act(self, action: str, by: str, ahead: float) -> None:
        after = LEGAL.get((self.state.state, action))
        legal = after is not None and (action != "shelve" or (by == "Ada" and ahead > 0))
        if not legal:
            with pytest.raises(UsageError):
                moved(self.state, action, at=self.now, by=by, until=self.now + ahead)
            return
        self.state = moved(self.state, action, at=self.now, by=by, comment="seen", until=self.now + ahead)
        assert (self.state.state, self.state.by, self.state.at) == (after, by, self.now)

    @rule(seconds=st.floats(0, 100))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        if shelf_over(self.state, self.now):
            self.state = moved(self.state, "unshelve", at=self.now)
        if due(self.state, self.now, 90):
            self.state = moved(self.state, "escalate", at=self.now)

    @rule()
    def restart(self) -> None:
        again = state_from(json.loads(json.dumps(as_json(self.state))))
        assert again == self.state
        self.state = again

    @invariant()
    def is_legal(self) -> None:
        Alarms.steps += 1
        assert self.state.state in MOVES
        assert (self.state.until > 0) == (self.state.state == "shelved")
        assert not (self.state.state == "shelved" and not self.state.by)


def test_ten_thousand_moves_reach_no_illegal_state() -> None:
    much = settings(max_examples=250, stateful_step_count=50, deadline=None, derandomize=True, database=None)
    run_state_machine_as_test(Alarms, settings=much)
    assert Alarms.steps - 250 >= 10_000  # the start of a run is none


@pytest.mark.parametrize("state", MOVES)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_move_is_made_or_refused_with_what_would_do(state: str, action: str) -> None:
    before = state_from({"state": state, "at": 5.0})
    if (state, action) in LEGAL:
        assert moved(before, action, at=9.0, by="Ada", until=99.0).state == LEGAL[state, action]
    else:
        with pytest.raises(UsageError, match=f"{action}: the alarm is {state}; from there it can: "):
            moved(before, action, at=9.0, by="Ada", until=99.0)


@pytest.mark.parametrize(("by", "until"), [("", 99.0), (" ", 99.0), ("Ada", 9.0), ("Ada", math.nan), ("Ada", math.inf)])
def test_a_shelf_has_an_end_and_a_name(by: str, until: float) -> None:
    with pytest.raises(UsageError, match="shelve"):
        moved(AlarmState(), "shelve", at=9.0, by=by, until=until)


def test_an_unknown_action_and_an_unknown_time_are_refused() -> None:
    with pytest.raises(UsageError, match="no action 'delete'"):
        moved(AlarmState(), "delete", at=9.0)
    with pytest.raises(UsageError, match="seconds since 1970"):
        moved(AlarmState(), "clear", at=math.nan)


def test_it_is_due_only_while_nobody_has_acknowledged_it() -> None:
    raised = AlarmState(at=100.0)
    assert [due(raised, at, 60.0) for at in (160.0, 160.5)] == [False, True]
    assert not due(moved(raised, "acknowledge", at=110.0, by="Ada"), 1e9, 60.0)


def test_a_shelf_is_over_at_its_end() -> None:
    shelved = moved(AlarmState(), "shelve", at=1.0, by="Ada", until=50.0)
    assert [shelf_over(shelved, at) for at in (49.9, 50.0)] == [False, True]
    assert not shelf_over(AlarmState(), 1e9)


def test_json_there_and_back() -> None:
    shelved = moved(AlarmState(), "shelve", at=1.5, by="Ada", comment="cold", until=50.0)
    assert as_json(shelved) == {"state": "shelved", "until": 50.0, "by": "Ada", "comment": "cold", "at": 1.5}
    assert state_from(as_json(shelved)) == shelved
    with pytest.raises(DataError, match="no state 'gone'"):
        state_from({"state": "gone"})
