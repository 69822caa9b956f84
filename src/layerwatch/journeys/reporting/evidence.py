"""The frames of a job on the disk -> whether each is still the one that was received, and its pixels to be shown."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from layerwatch.images.folder import read_picture
from layerwatch.images.outside import shared_child
from layerwatch.inspection.journal.job_record import JobLayer, JobRecord
from layerwatch.records import DataError, UsageError

Image = Float32[np.ndarray, "h w"]
_MIDDLE = 32768  # level of no deviation in a heat map


def states_of_files(record: JobRecord, folder: Path) -> tuple[str, ...]:
    """For each frame ``intact``, ``changed``, ``gone``, ``removed`` (by the site's rule) or ``never came``."""
    return tuple(_state(one, folder) for one in record.layers)


def _state(one: JobLayer, folder: Path) -> str:
    if not one.frame.sha256:
        return "never came"
    if not one.frame.path:
        return "removed"
    try:
        with (folder / one.frame.path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "gone"
    return "intact" if digest == one.frame.sha256 else "changed"


def frame_of(one: JobLayer, folder: Path) -> Image | None:
    """The frame's pixels in the file's own unit; None where it is not kept, was changed or cannot be read."""
    if _state(one, folder) != "intact":
        return None
    try:
        pixels = read_picture(folder / one.frame.path, one.frame.name, read=shared_child().read).pixels
    except (DataError, UsageError):
        return None
    shown = np.asarray(pixels, np.float32)
    return shown if np.isfinite(shown).any() else None


def heat_of(one: JobLayer, folder: Path) -> Image | None:
    """The heat map, signed, in the detector's unit; None where it is not kept or cannot be read."""
    verdict = one.verdict
    if verdict is None or not verdict.heat or "heat_unit" not in verdict.body:
        return None
    try:
        levels = read_picture(folder / verdict.heat, verdict.heat, read=shared_child().read).pixels
    except (DataError, UsageError):
        return None
    return (levels.astype(np.float32) - _MIDDLE) * np.float32(verdict.body["heat_unit"])
