"""The verdicts and alarms of a job -> for each core OK, NOK or not judged, its worst defect and where it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from layerwatch.inspection.journal.entries import AlarmEntry, StoredVerdict
from layerwatch.records import counted

_UNJUDGED = 0.2  # share of a core's layers that could not be judged, from which the core is not judged


@dataclass(frozen=True)
class Core:
    """One part instance as whoever unpacks the job should take it."""

    part: int  # instance number of the plan
    word: Literal["OK", "NOK", "not judged"]
    layers: int  # on which it is printed, or may be
    unjudged: int  # of these, never come or a fault
    worst: str = ""  # its worst defect in words
    level: str = ""  # minor or critical
    x: float = float("nan")  # mm, of the worst defect
    y: float = float("nan")  # mm
    first_layer: int = -1
    last_layer: int = -1
    area: float = float("nan")  # mm2
    amplitude: float = float("nan")  # strongest, signed


def cores_of(
    verdicts: Sequence[StoredVerdict],
    alarms: Sequence[AlarmEntry],
    printed: Mapping[int, Iterable[int]],
    unplanned: Iterable[int] = (),
) -> tuple[Core, ...]:
    """What to do with each core.

    Args:
        verdicts: of the job.
        alarms: of the job, cleared ones as well; a defect that nobody saw again is still in the core.
        printed: layers on which each core is printed, those that never came as well.
        unplanned: layers of the job of which no plan is known: any core may be on them, so all count them as unjudged.
    """
    judged = {one.layer for one in verdicts if one.word != "FAULT"}
    more = set(unplanned)
    return tuple(_core(part, set(layers) | more, judged - more, alarms) for part, layers in sorted(printed.items()))


def _core(part: int, layers: set[int], judged: set[int], alarms: Sequence[AlarmEntry]) -> Core:
    unjudged = len(layers - judged)
    found = [(one, alarm) for alarm in alarms if alarm.kind == "defect" for one in alarm.body["objects"]]
    own = [(one, alarm) for one, alarm in found if one["part"] == part]
    if own:
        worst, alarm = max(own, key=lambda pair: (pair[0]["layers"], pair[0]["area"] or 0))
        x, y, area, amplitude = (_number(worst[name]) for name in ("x", "y", "area", "amplitude"))
        text = f"{counted(worst['layers'], 'layer')}, {worst['area']:.0f} mm2, {worst['extent']:.0f} mm"
        where = (x, y, worst["first_layer"], worst["last_layer"], area, amplitude)
        return Core(part, "NOK", len(layers), unjudged, text, alarm.level, *where)
    is_judged = layers and unjudged <= _UNJUDGED * len(layers)
    return Core(part, "OK" if is_judged else "not judged", len(layers), unjudged)


def as_csv(cores: Sequence[Core]) -> str:
    """One line a core, with a line of names before them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [one.name for one in fields(Core)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _short(value) for key, value in asdict(core).items()} for core in cores)
    return text.getvalue()


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return "" if value != value else f"{value:.2f}"
    return value


def tally(cores: Sequence[Core]) -> str:
    """How many cores are what, in words."""
    words = [core.word for core in cores]
    counts = {word: words.count(word) for word in ("OK", "NOK", "not judged")}
    return ", ".join(f"{count} {word}" for word, count in counts.items())
