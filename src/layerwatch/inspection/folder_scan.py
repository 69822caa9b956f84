"""A folder that another machine writes to -> its files with size and time, those left alone sorted out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from layerwatch.inspection.file_identity import natural

LEFT_ALONE = ("*.partial", "*.tmp", "*.json", "Thumbs.db", "desktop.ini")  # half written, or no frames


@dataclass(frozen=True)
class State:
    """How a file stood when it was looked at; one with another state is another file."""

    size: int
    mtime: int  # ns

    @classmethod
    def of(cls, found: os.stat_result) -> State:
        """From what the system tells."""
        return cls(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class FolderScan:
    """Which files of a folder are frames."""

    root: Path
    left_alone: tuple[str, ...] = LEFT_ALONE
    apart: str = ""  # a folder directly below the root that is not looked into

    def all(self) -> dict[Path, State]:
        """Every frame below the folder.

        Raises:
            OSError: the folder, or one below it, cannot be listed at the moment.
        """
        return self.states(sorted(self._walk(), key=natural))

    def states(self, paths: Iterable[Path]) -> dict[Path, State]:
        """Those of the paths that are frames and are there now."""
        found = {}
        for path in paths:
            if not self.is_frame(path):
                continue
            try:
                status = path.lstat()
            except OSError:
                continue  # gone again: whoever wrote it has taken it back
            if stat.S_ISREG(status.st_mode):
                found[path] = State.of(status)
        return found

    def is_frame(self, path: Path) -> bool:
        """Whether a file of this name is looked at."""
        if not path.is_relative_to(self.root):
            return False
        below = path.relative_to(self.root).parts
        is_hidden = any(part.startswith(".") for part in below)
        is_apart = len(below) > 1 and below[0] == self.apart
        return bool(below) and not is_hidden and not is_apart and not self._is_left_alone(path.name)

    def _is_left_alone(self, name: str) -> bool:
        return any(fnmatch(name.lower(), pattern.lower()) for pattern in self.left_alone)

    def _walk(self) -> Iterator[Path]:
        for folder, below, files in os.walk(self.root, onerror=_raise):
            is_root = Path(folder) == self.root
            below[:] = [name for name in below if not name.startswith(".") and not (is_root and name == self.apart)]
            yield from (Path(folder, name) for name in files)


def _raise(error: OSError) -> None:
    raise error
