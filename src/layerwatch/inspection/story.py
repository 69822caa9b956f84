"""Messages as JSON, in any order and more than once -> the story of one job: layers, alarms, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from layerwatch.inspection.messages import SCHEMA
from layerwatch.records import DataError

_LAYER = ("layer", "word", "score", "threshold", "p_value", "reason", "fault", "regions")
_ALARM = ("alarm", "level", "cause", "text", "first_layer", "raised_layer", "last_layer", "event", "state")


@dataclass
class Story:
    """What a second process knows of a job that reads messages only; the number tells which came before."""

    job: str
    printer: str = ""  # empty: of any printer
    _taken: dict[int, Mapping[str, Any]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def take(self, told: Mapping[str, Any]) -> None:
        """Take one message; the same one again, or one of another job, changes nothing.

        Raises:
            DataError: it is no message that this version reads, or no journal has numbered it.
        """
        if told.get("schema") != SCHEMA:
            raise DataError(f"a message of schema {told.get('schema')!r}; a story is made of {SCHEMA!r}")
        if not isinstance(told.get("number"), int) or told["number"] < 1:
            raise DataError("a message without a number; a story is made of those of a service, which counts them")
        if told.get("job") == self.job and self.printer in {"", told.get("printer", "")}:
            self._taken.setdefault(told["number"], told)

    @property
    def layers(self) -> tuple[dict[str, Any], ...]:
        """The last verdict of each layer, by layer."""
        found = {int(one["layer"]): _some(one, _LAYER) for one in self._of("verdict")}
        return tuple(found[layer] for layer in sorted(found))

    @property
    def alarms(self) -> tuple[dict[str, Any], ...]:
        """Each alarm as its last message tells it, in the order in which they were first told of."""
        found: dict[str, dict[str, Any]] = {}
        for one in self._of("alarm"):
            found.setdefault(str(one["alarm"]), {}).update(_some(one, _ALARM))
        return tuple(found.values())

    @property
    def gaps(self) -> tuple[tuple[int, int], ...]:
        """First and last of each run of layers without verdict, between the first and the last layer known."""
        known = [int(one["layer"]) for one in self.layers]
        return tuple((a + 1, b - 1) for a, b in pairwise(known) if b > a + 1)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON; times in s since 1970, null where it is not known."""
        events = {one.get("event"): one.get("time") for one in self._of("job")}
        return {
            "job": self.job,
            "began": events.get("began"),
            "ended": events.get("ended"),
            "layers": list(self.layers),
            "alarms": list(self.alarms),
            "gaps": [list(gap) for gap in self.gaps],
        }

    def _of(self, kind: str) -> Iterable[Mapping[str, Any]]:
        return (self._taken[number] for number in sorted(self._taken) if self._taken[number]["kind"] == kind)


def _some(told: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: told[key] for key in keys if key in told}
