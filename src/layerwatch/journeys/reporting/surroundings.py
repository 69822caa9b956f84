"""A data folder, and a site's printer if there is one -> what the journal does not say: scale, span, plans, models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerwatch.inspection.names import safe
from layerwatch.inspection.reading import PlanOf, no_plans
from layerwatch.inspection.registry import Registry
from layerwatch.inspection.site import PrinterSite, read_site
from layerwatch.journeys.data_place import place_of
from layerwatch.journeys.serve import PLANS
from layerwatch.journeys.serve_site import PlanFolder
from layerwatch.journeys.serving.fitted import MODEL
from layerwatch.journeys.serving.smallest import in_words, read_smallest
from layerwatch.records import DataError

_DESCRIPTION = "model.json"


@dataclass(frozen=True)
class KnownModel:
    """A stored model that is still there."""

    name: str
    sha256: str  # of its weights
    place: Path
    provenance: dict[str, Any]
    smallest: str = ""  # defects that it finds, in words; empty: never commissioned


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What stands beside the journal."""

    folder: Path
    database: str
    printer: PrinterSite | None
    models: tuple[KnownModel, ...]

    def model(self, told: str) -> KnownModel | None:
        """The model that a verdict names as ``name@first digits of its SHA-256``."""
        name, _, digest = told.rpartition("@")
        found = (one for one in self.models if digest and one.name == name and one.sha256.startswith(digest))
        return next(found, None)

    def plans(self, job: str) -> PlanOf:
        """The plans of a job."""
        if self.printer is not None and self.printer.plans is not None:
            return PlanFolder(self.printer.plans).planned
        own = self.folder / PLANS / safe(job)
        return PlanFolder(self.folder / PLANS).planned if own.is_dir() and safe(job) == job else no_plans


def surroundings(data: Path | None, site: Path | None, printer: str) -> Surroundings:
    """Look round.

    Args:
        data: folder of the service.
        site: file that names it.
        printer: whose job it is; empty: not known yet.

    Raises:
        UsageError: both were given, or the site file is off.
    """
    place = place_of(data, site)
    printers = () if site is None else read_site(site).printers
    own = next((one for one in printers if one.name == printer), None)
    folders = [place.folder / MODEL, *([own.model_folder] if own and own.model_folder else [])]
    registry = Registry(place.folder)
    folders += [registry.path(name, version) for name in registry.names() for version in registry.versions(name)]
    return Surroundings(place.folder, place.database, own, tuple(_models(folders)))


def _models(folders: list[Path]) -> Iterator[KnownModel]:
    for folder in folders:
        told = _json(folder / _DESCRIPTION)
        if {"detector", "weights_sha256"} <= told.keys():
            known = (told["detector"], told["weights_sha256"], folder, told.get("provenance", {}))
            yield KnownModel(*known, _smallest(folder))


def _smallest(folder: Path) -> str:
    try:
        known = read_smallest(folder)
    except DataError as error:
        return f"has no usable file of the smallest defects: {error}"
    return "" if known is None else in_words(known)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
