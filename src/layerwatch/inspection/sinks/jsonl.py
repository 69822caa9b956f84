"""A file of JSON lines, one a message, on disk before the next frame is taken."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from layerwatch.inspection.messages import Message
from layerwatch.inspection.sinks.base import Sink
from layerwatch.records import UsageError


@dataclass(frozen=True)
class Jsonl(Sink):
    """Appends to a file; every line is a whole message."""

    summary: ClassVar[str] = "a file of JSON lines, one a message"
    source: ClassVar[str] = "https://jsonlines.org"

    path: Path

    def take(self, message: Message) -> None:
        """See Sink."""
        line = message.text() + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror}; give an --out that may be written") from None
