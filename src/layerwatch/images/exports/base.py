"""An archive -> the same layers in the form that another program reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from layerwatch.images.archive import Archive
from layerwatch.images.optional import optional as of_extra
from layerwatch.records import Progress, silent


class Export(ABC):
    """Writes an archive for another program, layer by layer. Settings are dataclass fields."""

    summary: ClassVar[str]
    source: ClassVar[str]
    leaves_out: ClassVar[str] = ""  # what of the archive this form cannot carry; empty: nothing

    @abstractmethod
    def write(self, archive: Archive, out: Path, *, progress: Progress = silent) -> int:
        """Fill the empty folder ``out``; returns the number of images written.

        Raises:
            DataError: the archive holds nothing that this form can carry.
            UsageError: a package that this form needs is not installed.
        """


def optional(package: str, extra: str) -> Any:
    """A package that only one form needs, imported now.

    Raises:
        UsageError: it is not installed; the message has the line that installs it.
    """
    return of_extra(package, extra, f"--to {extra}")
