"""The registry of a data folder -> which model judges a printer and which others there are, and a change of it."""

from __future__ import annotations

import hashlib
from typing import Any

from layerwatch.dashboard.desk import Desk
from layerwatch.dashboard.shapes import Change
from layerwatch.inspection.messages import plain
from layerwatch.inspection.registry import Registry
from layerwatch.inspection.seals import MANIFEST
from layerwatch.records import DataError, UsageError

_NEEDS = {"activate": ("name", "version"), "shadow": ("name", "version"), "set_threshold": ("value",)}


def shown(desk: Desk, printer: str) -> dict[str, Any]:
    """In force, shadow, all versions and the printer's history.

    Raises:
        NotThereError: no such printer.
        DataError: the registry is broken.
    """
    seen, registry = desk.printer(printer), Registry(desk.folder)
    now = seen.inspected()
    force: dict[str, Any] | None = None
    shadow: dict[str, Any] | None = None
    try:
        found = registry.in_force(printer)
        force = {"name": found.name, "version": found.version, "threshold": found.threshold}
        along = found.shadow
        shadow = None if along is None else {"name": along.name, "version": along.version}
    except UsageError:
        pass
    history = [
        {**{key: one.get(key) for key in ("who", "event", "before", "after")}, "time": one.get("at")}
        | {"reason": one.get("reason", "")}
        for one in registry.history(printer)
    ]
    running = {"model": now.model, "line": now.rules.line, "in_registry": seen.in_registry}
    known = {"in_force": force, "shadow": shadow, "versions": _versions(desk, registry), "history": history}
    told: dict[str, Any] = plain({"printer": printer, **running, **known})
    return told


def change(desk: Desk, said: Change, who: str) -> str:
    """Change it for the printer's next job; returns what was changed, in words.

    Raises:
        NotThereError: no such printer.
        UsageError: something is missing, or it cannot be done now.
        DataError: a byte of the model was changed.
    """
    seen = desk.printer(said.printer)
    if desk.change is None or not seen.in_registry:
        text = 'give model = "NAME" of the registry in the site file'
        raise UsageError(f"{said.printer}: its model is a folder, which is changed in no page; {text}")
    if not said.reason.strip():
        raise UsageError("a change without a reason; say why, for those who look at it later")
    given = {key: getattr(said, key) for key in _NEEDS.get(said.what, ())}
    if said.what == "activate" and (said.name is None or said.version is None):
        raise UsageError("activate without a name or a version; say which model")
    with desk.acting:
        return desk.change(said.printer, said.what, who, reason=said.reason, **given)


def _versions(desk: Desk, registry: Registry) -> list[dict[str, Any]]:
    found = []
    for name in registry.names():
        for version in registry.versions(name):
            path = registry.path(name, version)
            try:
                digest = hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()
                about = desk.about(path)
            except (OSError, DataError, UsageError):
                digest, about = "", {}
            known = {"trained_on": about.get("trained_on", ""), "figures": about.get("figures", {})}
            found.append({"name": name, "version": version, "sha256": digest, **known})
    return found
