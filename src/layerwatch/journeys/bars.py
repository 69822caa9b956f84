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
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from layerwatch.records import Progress as Report


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
            TextColumn("{task.description:32s}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
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
