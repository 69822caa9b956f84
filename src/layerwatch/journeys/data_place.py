"""A data folder, or a site file -> where a service keeps its data, and its journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from layerwatch.inspection.site import read_site
from layerwatch.records import UsageError

DEFAULT = Path("layerwatch-data")


@dataclass(frozen=True)
class DataPlace:
    """Where a service keeps what it keeps."""

    folder: Path
    database: str = field(default="", repr=False)  # URL, perhaps with a password; empty: journal.db in the folder


def place_of(data: Path | None, site: Path | None) -> DataPlace:
    """What a person has given: the data folder, the site file that names it, or nothing (``layerwatch-data``).

    Raises:
        UsageError: both were given, or the site file is off.
    """
    if site is None:
        return DataPlace(data or DEFAULT)
    if data is not None:
        raise UsageError("give either --data or --site; a site file names its data folder itself")
    found = read_site(site)
    return DataPlace(found.data, found.database)
