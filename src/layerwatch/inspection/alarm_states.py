"""What operators and the system do with an alarm, move by move -> the state that the alarm is in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from layerwatch.inspection.messages import plain
from layerwatch.records import DataError, UsageError

StateWord = Literal["raised", "acknowledged", "shelved", "cleared", "escalated"]

MOVES: Mapping[str, Mapping[str, StateWord]] = {
    "raised": {"acknowledge": "acknowledged", "shelve": "shelved", "clear": "cleared", "escalate": "escalated"},
    "escalated": {"acknowledge": "acknowledged", "shelve": "shelved", "clear": "cleared"},
    "acknowledged": {"shelve": "shelved", "clear": "cleared", "reopen": "raised"},  # it got worse
    "shelved": {"shelve": "shelved", "unshelve": "raised", "clear": "cleared"},
    "cleared": {"reopen": "raised"},
}  # state -> action -> next state; anything else is no move
ACTIONS = ("acknowledge", "shelve", "unshelve", "clear", "reopen", "escalate")


@dataclass(frozen=True)
class AlarmState:
    """Where an alarm stands, and the move that brought it there."""

    state: StateWord = "raised"
    until: float = 0.0  # s since 1970 in UTC, end of the shelf; 0: not shelved
    by: str = ""  # who; "": the system
    comment: str = ""
    at: float = 0.0  # s since 1970 in UTC


def moved(
    state: AlarmState, action: str, *, at: float, by: str = "", comment: str = "", until: float = math.nan
) -> AlarmState:
    """The state after the action.

    Raises:
        UsageError: the action is none from this state, or a shelf without an end or a name.
    """
    after = MOVES[state.state].get(action)
    if action not in ACTIONS:
        raise UsageError(f"no action {action!r} on alarms; there are: {', '.join(ACTIONS)}")
    if after is None:
        would = ", ".join(MOVES[state.state])
        raise UsageError(f"{action}: the alarm is {state.state}; from there it can: {would}")
    if not math.isfinite(at):
        raise UsageError(f"{action} at {at}; give the time in seconds since 1970")
    if after == "shelved":
        _check_shelf(at, by, until)
    return AlarmState(after, until if after == "shelved" else 0.0, by, comment, at)


def due(state: AlarmState, at: float, escalate_after: float) -> bool:
    """Nobody has acknowledged the alarm for longer than ``escalate_after`` seconds: escalate it."""
    return state.state == "raised" and at - state.at > escalate_after


def shelf_over(state: AlarmState, at: float) -> bool:
    """The time on the shelf has passed: unshelve it."""
    return state.state == "shelved" and at >= state.until


def as_json(state: AlarmState) -> dict[str, Any]:
    """A state as plain JSON."""
    told: dict[str, Any] = plain(asdict(state))
    return told


def state_from(body: Mapping[str, Any]) -> AlarmState:
    """The inverse of ``as_json``; further keys are left aside."""
    word: Any = body.get("state")
    if word not in get_args(StateWord):
        raise DataError(f"no state {word!r} of an alarm; there are: {', '.join(MOVES)}")
    words = {key: str(body.get(key, "")) for key in ("by", "comment")}
    return AlarmState(word, until=float(body.get("until") or 0), at=float(body.get("at") or 0), **words)


def _check_shelf(at: float, by: str, until: float) -> None:
    if not by.strip():
        raise UsageError("shelve without a name; say who shelves the alarm")
    if not (math.isfinite(until) and until > at):
        raise UsageError(f"shelve until {until}, which is not after {at}; give a later time in seconds since 1970")
