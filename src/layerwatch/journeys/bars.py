"""What rooms report while they work -> progress bars with time left on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from layerwatch.records import Progress as Report

_WIDE = 120  # characters


@contextmanager
def bars() -> Iterator[Report]:
    """A Progress that draws one bar a step; without a terminal, one line when a step is done."""
    console = Console(stderr=True)
    report = _Bars(console) if console.is_terminal else _Lines(console)
    with report:
        yield report


class _Bars:
    """Live bars, one a step, in the order in which the steps began."""

    def __init__(self, console: Console) -> None:
        self._steps: dict[str, TaskID] = {}
        self._progress = Progress(
            *_columns(console.width),
            console=console,
            refresh_per_second=4,
            redirect_stdout=sys.stdout.isatty(),  # a pipe gets what is printed, not the bars' terminal
        )

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def __call__(self, step: str, done: int, total: int, note: str = "") -> None:
        if step not in self._steps:
            self._steps[step] = self._progress.add_task(step, total=total, note=note)
        self._progress.update(self._steps[step], completed=done, total=total, note=note)


def _columns(width: int) -> tuple[ProgressColumn, ...]:
    """What a line shows; on a narrow terminal the note gives way, never the steps or the time left."""
    name, bar = (32, 24) if width >= _WIDE else (16, 8)
    return (
        TextColumn("{task.description}", table_column=Column(width=name, no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=bar, table_column=Column(width=bar)),
        MofNCompleteColumn(table_column=Column(min_width=9, no_wrap=True)),
        TimeElapsedColumn(table_column=Column(min_width=7, no_wrap=True)),
        TimeRemainingColumn(table_column=Column(min_width=7, no_wrap=True)),
        TextColumn("{task.fields[note]}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
    )


class _Lines:
    """For logs: a line when a step has ended."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ended: set[str] = set()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *error: object) -> None:
        sys.stderr.flush()

    def __call__(self, step: str, done: int, total: int, note: str = "") -> None:
        if done >= total and step not in self._ended:
            self._ended.add(step)
            self._console.print(f"{step}: {total} done {note}".rstrip(), highlight=False)
