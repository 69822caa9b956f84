"""Lines of detection.csv -> the file itself, a page of tables and two figures beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from layerwatch.evaluation.course_figures import Dot, figure_of_delays, figure_of_dots
from layerwatch.images.writing import write_file
from layerwatch.journeys.comparison.amounts import MIDDLE, Amounts
from layerwatch.journeys.comparison.groups import FROM_FIRST, HEALTHY
from layerwatch.journeys.comparison.rows import (
    AUROC,
    FALSE_JOBS,
    FIVE,
    FOUND,
    MEDIAN,
    NINETY,
    NOBODYS,
    OTHERS,
    PACE,
    REACHED,
    Row,
)
from layerwatch.journeys.reproduction.writing import write_csv

Cells = dict[str, str]
_RUN = 5


def write_report(rows: Sequence[Row], amounts: Amounts, out: Path, said: Sequence[str]) -> tuple[Path, ...]:
    """Write the CSV file, and beside it, with its name, the page and the figures.

    Raises:
        UsageError: the folder cannot be written.
    """
    files = {f"{out.stem}-auroc.{form}": data for form, data in figure_of_dots(_dots(rows, AUROC, 1)).items()}
    medians, nineties = _dots(rows, MEDIAN), _dots(rows, NINETY)
    delays = figure_of_delays(medians, nineties, len(amounts.ages))
    files |= {f"{out.stem}-delay.{form}": data for form, data in delays.items()}
    page = out.with_suffix(".md")
    for name, data in files.items():
        write_file(out.with_name(name), data)
    write_file(page, page_of(rows, amounts, out, said).encode())
    write_csv(out, [asdict(row) for row in rows])
    return (out, page, *(out.with_name(name) for name in files))


def page_of(rows: Sequence[Row], amounts: Amounts, out: Path, said: Sequence[str]) -> str:
    """The page in Markdown."""
    a = amounts
    text = [
        "# Detectors compared\n",
        f"Preset `{a.preset}`, {a.seeds} seed{'s' if a.seeds > 1 else ''} from {a.first_seed} on; for each: {a.fit} "
        f"healthy jobs to learn from, {a.calibration} to set the line, {a.healthy} to count false alarms, {a.jobs} "
        f"jobs of each defect and severity, all of {a.layers} layers; defects begin after {a.onset} layers and last "
        f"{len(a.ages)}. In brackets 95 % intervals by job.\n",
        *(f"{line}\n" for line in said),
        _titled("AUROC and jobs found", _summary(rows)),
        _titled("AUROC of one layer", _by_defect(rows, AUROC, 1)),
        _titled("AUROC of the fifth layer in a row", _by_defect(rows, AUROC, _RUN)),
        _titled("Share of jobs found within five layers", _by_defect(rows, FOUND, _RUN)),
        _titled("Layers until the alarm, median / 90 %", _delays(rows)),
        _titled("Severity reached, where it is not the one asked", _unreached(rows)),
        _titled("Healthy jobs with a false alarm; time", _healthy(rows)),
        _titled(f"Plans that are off, polluted learning; severity {MIDDLE:g}", _conditions(rows)),
        f"![AUROC by defect and severity]({out.stem}-auroc.png)\n",
        f"![Layers until the alarm]({out.stem}-delay.png)\n",
    ]
    return "\n".join(line for line in text if line)


def _titled(title: str, cells: Sequence[Cells]) -> str:
    if not cells:
        return ""
    names = list(cells[0])
    lines = [f"| {' | '.join(names)} |", "|" + " --- |" * len(names)]
    lines += [f"| {' | '.join(line.values())} |" for line in cells]
    return "\n".join([f"## {title}\n", *lines, ""])


def _who(row: Row) -> str:
    """The detector and what it may know."""
    return f"{row.detector} ({row.input})"


def _dots(rows: Sequence[Row], metric: str, layers: int | None = None) -> list[Dot]:
    """Figures of single defects under usual conditions."""
    return [
        Dot(_who(row), row.defect, row.severity, row.value, _number(row.low), _number(row.high))
        for row in _usual(rows)
        if row.metric == metric and row.layers == layers and row.severity is not None and row.defect != HEALTHY
    ]


def _usual(rows: Sequence[Row]) -> Iterator[Row]:
    """Single defects, nothing off."""
    return (row for row in rows if "," not in row.data and not row.defect.startswith((FIVE, OTHERS, NOBODYS)))


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _told(row: Row) -> str:
    return f"{row.value:.3f} [{_number(row.low):.3f}, {_number(row.high):.3f}]"


def _layers(value: float) -> str:
    return f"{value:g}" if np.isfinite(value) else "never"


def _summary(rows: Sequence[Row]) -> list[Cells]:
    """Pooled figures, a line a set of defects and severity."""
    pooled = [row for row in rows if "," not in row.data and row.defect.startswith((FIVE, OTHERS, NOBODYS))]
    first = [row for row in rows if FROM_FIRST in row.data]

    def named(row: Row) -> Cells:
        within = f"layer {row.layers}" if row.metric == AUROC and row.layers != 1 else f"{row.layers} layers"
        what = f"{row.metric}, {'1 layer' if row.layers == 1 else within}"
        from_first = f", {FROM_FIRST}" if FROM_FIRST in row.data else ""
        return {"defects": f"{row.defect}{from_first}", "severity": f"{row.severity:g}", "what": what}

    return _table([*pooled, *first], named, _told)


def _by_defect(rows: Sequence[Row], metric: str, layers: int) -> list[Cells]:
    chosen = [row for row in _usual(rows) if row.metric == metric and row.layers == layers]
    return _table(chosen, lambda row: {"defect": row.defect, "severity": f"{row.severity:g}"}, _told)


def _delays(rows: Sequence[Row]) -> list[Cells]:
    chosen = [row for row in _usual(rows) if row.metric == MEDIAN]
    ends = {(_who(row), row.defect, row.severity): row.value for row in _usual(rows) if row.metric == NINETY}

    def told(row: Row) -> str:
        return f"{_layers(row.value)} / {_layers(ends[_who(row), row.defect, row.severity])}"

    return _table(chosen, lambda row: {"defect": row.defect, "severity": f"{row.severity:g}"}, told)


def _unreached(rows: Sequence[Row]) -> list[Cells]:
    found = dict[tuple[str, float], Cells]()
    for row in _usual(rows):
        if row.metric == REACHED and row.severity and _number(row.low) < 0.95 * row.severity:
            cells = {"defect": row.defect, "asked": f"{row.severity:g}", "mean": f"{row.value:.2f}"}
            found[row.defect, row.severity] = cells | {"least": f"{_number(row.low):.2f}"}
    return list(found.values())


def _healthy(rows: Sequence[Row]) -> list[Cells]:
    def told(row: Row) -> str:
        if row.metric == FALSE_JOBS:
            return f"{row.value:.3f}, at most {_number(row.high):.3f}"
        return f"{row.value:.2f} [{_number(row.low):.2f}, {_number(row.high):.2f}]"

    chosen = [row for row in rows if row.metric in (FALSE_JOBS, PACE)]
    return _table(chosen, lambda row: {"data": row.data, "what": row.metric}, told)


def _conditions(rows: Sequence[Row]) -> list[Cells]:
    chosen = [row for row in rows if "," in row.data and row.defect.startswith(FIVE)]
    usual = [
        row
        for row in rows
        if "," not in row.data
        and row.severity == MIDDLE
        and (row.defect, row.metric, row.layers) in {(r.defect, r.metric, r.layers) for r in chosen}
    ]
    return _table([*usual, *chosen], lambda row: {"data": row.data, "what": f"{row.metric}, {row.defect}"}, _told)


def _table(rows: Sequence[Row], named: Callable[[Row], Cells], told: Callable[[Row], str]) -> list[Cells]:
    """A column a competitor; lines in the order in which they first come."""
    who = list(dict.fromkeys(map(_who, rows)))
    lines = dict[tuple[str, ...], Cells]()
    for row in rows:
        names = named(row)
        line = lines.setdefault(tuple(names.values()), {**names, **dict.fromkeys(who, "")})
        line[_who(row)] = told(row)
    return list(lines.values())
