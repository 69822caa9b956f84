"""What commissioning found -> tables and a JSON file."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layerwatch.evaluation.courses import Line
from layerwatch.evaluation.metrics import Estimate
from layerwatch.evaluation.pod import Detection, Trial
from layerwatch.journeys.commissioning.injections import Kind
from layerwatch.journeys.commissioning.trials import Followed

FEWEST_JOBS = 5  # into which a defect was laid, that support a share of jobs; as for intervals


@dataclass(frozen=True, eq=False)
class Commissioned:
    """All that is told."""

    followed: tuple[Followed, ...]
    line: Line
    wanted: float  # share of healthy jobs that may raise an alarm
    rate: float  # share of layers above the line: with it `layerwatch inspect` has the same line
    found: Mapping[str, tuple[tuple[Trial, ...], Detection]]  # by the kind's name
    kinds: tuple[Kind, ...]
    scale: float  # from the unit of frames, a share of the grey range, to ``unit``
    unit: str
    zero: float  # what grey 0 is, in ``unit``
    refused: tuple[tuple[str, str, str], ...]  # job, frame, reason
    mm_per_px: float | None
    notes: tuple[str, ...]

    @property
    def layers(self) -> int:
        """That were followed."""
        return sum(len(one.readings) for one in self.followed)

    @property
    def above_one(self) -> int:
        """Layers that score above 1, which one in a hundred should."""
        return sum(int((one.scores > 1).sum()) for one in self.followed)

    @property
    def level_unit(self) -> str:
        """Of levels, not of differences."""
        return "degC" if self.unit == "K" else self.unit

    def level(self, grey: float) -> float:
        """A level in ``level_unit``."""
        return self.zero + self.scale * grey

    def told(self, kind: Kind, amount: float) -> float:
        """An amount in the user's unit."""
        if kind.unit == "level":
            return amount * self.scale
        return amount * (self.mm_per_px or 1.0)

    def unit_of(self, kind: Kind) -> str:
        """Of a kind's amount."""
        return self.unit if kind.unit == "level" else self.length

    @property
    def length(self) -> str:
        """Unit of places."""
        return "mm" if self.mm_per_px else "px"

    def ninety(self, kind: Kind) -> str:
        """From which amount on it is found in nine of ten jobs, in words."""
        trials, found = self.found[kind.name]
        told, unit, jobs = found.ninety, self.unit_of(kind), len({trial.job for trial in trials})
        if not math.isfinite(told.value):
            words = f"above {self.told(kind, told.low):.3g} {unit}"
        else:
            words = f"from {self.told(kind, told.value):.3g} {unit} on"
        if jobs >= FEWEST_JOBS:
            return words
        return f"from {'one job' if jobs == 1 else f'{jobs} jobs'}: no promise; there {words}"

    def largest(self, kind: Kind) -> float:
        """The largest amount that was tried, in the user's unit."""
        return self.told(kind, max(trial.amount for trial in self.found[kind.name][0]))

    def size(self, kind: Kind) -> str:
        """Diameter or width, in words."""
        return f", {kind.size * (self.mm_per_px or 1):.3g} {self.length}" if kind.size else ""


def tables_of(done: Commissioned) -> dict[str, bytes]:
    """The files by their names."""
    return {
        "healthy.csv": _healthy_csv(done),
        "detection.csv": _detection_csv(done),
        "commission.json": (json.dumps(_summary(done), indent=1) + "\n").encode(),
    }


def _summary(done: Commissioned) -> dict[str, Any]:
    return {
        "jobs": len(done.followed),
        "layers": done.layers,
        "line": done.line.value,
        "promise": done.line.promise,
        "wanted": done.wanted,
        "layers_above_one": done.above_one,
        "inspect_false_alarm_rate": done.rate,
        "detection": {
            kind.name: {
                "unit": done.unit_of(kind),
                "size": kind.size * (done.mm_per_px or 1),
                "a50": _three(done, kind, done.found[kind.name][1].half),
                "a90": _three(done, kind, done.found[kind.name][1].ninety),
                "delay": _number(done.found[kind.name][1].delay),
            }
            for kind in done.kinds
            if kind.name in done.found
        },
        "notes": list(done.notes),
    }


def _three(done: Commissioned, kind: Kind, estimate: Estimate) -> list[float | None]:
    return [_number(done.told(kind, value)) for value in (estimate.value, estimate.low, estimate.high)]


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _healthy_csv(done: Commissioned) -> bytes:
    rows = [
        (
            one.history.job,
            image.layer,
            image.name,
            f"{reading.score:.6g}",
            reading.finding.text if reading.finding else "",
            f"{done.level(bed):.6g}",
            f"{done.level(part):.6g}",
        )
        for one in done.followed
        for image, reading, bed, part in zip(
            one.history.images, one.readings, one.history.bed, one.history.part, strict=True
        )
    ]
    return _csv(("job", "layer", "file", "score", "finding", "bed", "part"), rows)


def _detection_csv(done: Commissioned) -> bytes:
    rows = [
        (kind.name, f"{done.told(kind, t.amount):.6g}", done.unit_of(kind), t.job, int(t.is_found), _delay(t.delay))
        for kind in done.kinds
        if kind.name in done.found
        for t in done.found[kind.name][0]
    ]
    return _csv(("defect", "amount", "unit", "job", "found", "delay"), rows)


def _delay(delay: float) -> str:
    return f"{delay:g}" if math.isfinite(delay) else ""


def _csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(head)
    table.writerows(rows)
    return file.getvalue().encode()
