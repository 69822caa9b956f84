"""What happened -> messages to the outside, as JSON that is the same on every way out.

The form is described in docs/messages.md; ``schema`` changes when a field changes its meaning or goes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from layerwatch.records import Region, Verdict

SCHEMA = "layerwatch/1"
Kind = Literal["verdict", "alarm", "job", "printer", "audit"]


@dataclass(frozen=True)
class Message:
    """One thing that somebody outside may want to know."""

    kind: Kind
    body: Mapping[str, Any]  # plain JSON
    printer: str = ""
    job: str = ""
    number: int = 0  # in the journal, rising; 0: not from a journal
    time: float = 0.0  # s since 1970 in UTC; 0: not from a journal
    blobs: Mapping[str, str] = field(default_factory=dict)  # paths of pictures, by what they show, for sinks that copy

    def as_json(self) -> dict[str, Any]:
        """The message as plain JSON; numbers that do not exist are null."""
        known = {"number": self.number, "time": self.time, "printer": self.printer} if self.number else {}
        return {"schema": SCHEMA, "kind": self.kind, "job": self.job, **known, **plain(self.body)}

    def text(self) -> str:
        """As one line of JSON with sorted keys."""
        return json.dumps(self.as_json(), sort_keys=True)


def plain(value: Any) -> Any:
    """The same with NaN and infinity as None, tuples as lists."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain JSON; numbers that do not exist are null."""
    told: dict[str, Any] = plain(asdict(verdict))
    return told


def verdict_of(body: Mapping[str, Any]) -> Verdict:
    """The inverse of ``as_json``; further keys are left aside."""
    regions = tuple(Region(**{**one, "box": tuple(one["box"])}) for one in body.get("regions", ()))
    score, threshold, p_value = (_number(body.get(key)) for key in ("score", "threshold", "p_value"))
    reason, name = (str(body.get(key, "")) for key in ("reason", "name"))
    where: tuple[str, int] = (str(body["job"]), int(body["layer"]))
    return Verdict(*where, body["word"], score, threshold, p_value, regions, reason, name)


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def verdict_message(verdict: Verdict) -> Message:
    """A verdict that no journal has numbered."""
    return Message("verdict", as_json(verdict), job=verdict.job)
