"""A data folder -> the one service that may use it; a second one is refused while the first lives."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerwatch.records import UsageError

LOCK = "service.lock"


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Own the folder during the block; the system lets go of it whatever ends the process.

    Raises:
        UsageError: another service has it, or it cannot be written.
    """
    path = folder / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                owner = file.read().strip() or "unknown"
                raise UsageError(
                    f"{folder}: another service (process {owner}) runs there; stop it, or give another --data"
                ) from None
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}; give a place that may be written") from None
