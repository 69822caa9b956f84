"""Messages and their pictures -> a folder a printer and job, on disk before the next message is taken."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from layerwatch.inspection.messages import Kind, Message
from layerwatch.inspection.names import safe
from layerwatch.inspection.sinks.base import EVERYTHING, NotTakenError, Sink

_TAIL = 1 << 20  # bytes; no message is longer
Mark = tuple[int, float]  # number and time of a message


@dataclass
class Folder(Sink):
    """Appends to ``{path}/{printer}/{job}/messages.jsonl`` and copies the pictures beside it.

    A picture is ``{number}-{what it shows}`` with the number in 8 digits; one that is gone at its source is left out.
    """

    summary: ClassVar[str] = "a folder a job, with messages and pictures"
    source: ClassVar[str] = "https://jsonlines.org"

    path: Path
    kinds: tuple[Kind, ...] = EVERYTHING
    _last: dict[Path, Mark] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def wants(self) -> tuple[Kind, ...]:
        """See Sink."""
        return self.kinds

    def take(self, message: Message) -> None:
        """See Sink."""
        file = Path(self.path) / safe(message.printer) / safe(message.job) / "messages.jsonl"
        try:
            if not self._has(file, message):
                self._write(file, message)
        except OSError as error:
            self._last.pop(file, None)
            raise NotTakenError(f"cannot write to {file.parent}: {error.strerror}") from None

    def _has(self, file: Path, message: Message) -> bool:
        """The time is asked, too: a new journal begins to count at 1 again."""
        if file not in self._last:
            self._last[file] = last_whole(file)
        number, time = self._last[file]
        return 0 < message.number <= number and message.time <= time

    def _write(self, file: Path, message: Message) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        for what, source in message.blobs.items():
            copy(Path(source), file.parent / f"{_stem(message)}-{safe(what)}{Path(source).suffix}")
        with file.open("ab") as out:
            out.write(message.text().encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        self._last[file] = message.number, message.time


def _stem(message: Message) -> str:
    return f"{message.number:08d}" if message.number else f"layer-{int(message.body.get('layer', 0)):05d}"


def copy(source: Path, target: Path) -> None:
    """Written beside and renamed, so that the target is whole or not there; nothing happens without a source."""
    beside = target.with_name(target.name + ".part")
    try:
        with source.open("rb") as data, beside.open("wb") as out:
            shutil.copyfileobj(data, out)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        beside.unlink(missing_ok=True)
        if not source.exists() and isinstance(error, FileNotFoundError):
            return
        raise
    beside.replace(target)


def last_whole(file: Path) -> Mark:
    """Number and time of the last message; half a line after it, of a write that was killed, is cut off."""
    if not file.exists():
        return 0, 0.0
    with file.open("r+b") as data:
        start = max(0, data.seek(0, os.SEEK_END) - _TAIL)
        data.seek(start)
        whole, end, half = data.read().rpartition(b"\n")
        if half:
            data.truncate(start + len(whole) + len(end))
    try:
        last = json.loads(whole.rpartition(b"\n")[2] or b"{}")
        return int(last.get("number", 0)), float(last.get("time", 0.0))
    except (ValueError, AttributeError, TypeError):
        return 0, 0.0
