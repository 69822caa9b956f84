"""A file of JSON lines, one a verdict, on disk before the next frame is taken."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from layerwatch.inspection.sinks.base import Sink
from layerwatch.records import UsageError, Verdict


@dataclass(frozen=True)
class Jsonl(Sink):
    """Appends to a file; every line is a whole verdict."""

    summary: ClassVar[str] = "a file of JSON lines, one a verdict"
    source: ClassVar[str] = "https://jsonlines.org"

    path: Path

    def take(self, verdict: Verdict) -> None:
        """See Sink."""
        line = json.dumps(as_json(verdict), sort_keys=True) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UsageError(f"cannot write {self.path}: {error.strerror}; give an --out that may be written") from None


def as_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain JSON; numbers that do not exist are null."""
    return {key: None if isinstance(v, float) and math.isnan(v) else v for key, v in asdict(verdict).items()}
