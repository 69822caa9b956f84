"""An archive -> the same layers in the form that another program reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from layerwatch.images.archive import Archive
from layerwatch.records import Progress, silent


class Export(ABC):
    """Writes an archive for another program. Settings are dataclass fields."""

    summary: ClassVar[str]
    source: ClassVar[str]

    @abstractmethod
    def write(self, archive: Archive, out: Path, *, progress: Progress = silent) -> int:
        """Fill the empty folder ``out``; returns the number of images written.

        Raises:
            DataError: the archive holds nothing that this form can carry.
        """
