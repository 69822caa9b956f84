"""A folder of files from an earlier job -> each once, in natural order, at a chosen pace; then it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import ClassVar

from layerwatch.inspection.cameras.base import Camera, Delivery
from layerwatch.inspection.file_identity import FileIdentity
from layerwatch.inspection.first_bytes import usual_suffix
from layerwatch.inspection.folder_scan import LEFT_ALONE, FolderScan
from layerwatch.records import UsageError, plainly


@dataclass(eq=False)
class Replay(Camera):
    """Plays a folder once."""

    summary: ClassVar[str] = "Files of a folder, once, as if they arrived now"
    source: ClassVar[str] = "an earlier job, or a virtual one"

    printer: str
    path: Path
    pace: float = 0.0  # s between two frames
    job: str = ""  # default: the name of the first sub-folder, else of the folder
    pattern: str | None = None  # of the paths, for images.naming
    left_alone: tuple[str, ...] = LEFT_ALONE  # names that are no frames, beside hidden ones

    def deliveries(self, stop: Event) -> Iterator[Delivery]:
        """Every file; one that cannot be read comes without bytes and with the reason.

        Raises:
            UsageError: no such folder.
        """
        root = Path(self.path).absolute()
        try:
            found = FolderScan(root, self.left_alone).all()
        except OSError as error:
            raise UsageError(f"{self.path}: {plainly(error)}; give the folder of an earlier job") from None
        for number, path in enumerate(found):
            if stop.is_set() or (number and stop.wait(self.pace)):
                return
            yield self._delivery(root, path)

    def _delivery(self, root: Path, path: Path) -> Delivery:
        claim = FileIdentity(self.printer, root, self.pattern, self.job).claim(path)
        data, reason = b"", claim.unidentified
        try:
            data = path.read_bytes()
        except OSError as error:
            reason = plainly(error)
        suffix, name = usual_suffix(path.suffix, data), str(path.relative_to(root))
        return Delivery(claim.identity, data, suffix, name, claim.exposed, reason)
