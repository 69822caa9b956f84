"""What a person does to the models in force -> the registry, with a line of the audit in the journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from layerwatch.inspection.messages import Message
from layerwatch.inspection.registry import Registry
from layerwatch.journeys.serve import looked_into, open_journal
from layerwatch.records import UsageError


def add(data: Path, name: str, model: Path) -> str:
    """Copy a stored model into the registry; returns its version. Errors as in ``Registry.add``."""
    return Registry(data).add(name, model)


def listed(data: Path) -> list[str]:
    """Models with their versions, one line each."""
    registry = Registry(data)
    return [f"{name}  {', '.join(registry.versions(name))}" for name in registry.names()] or ["no model yet"]


def change(data: Path, printer: str, what: str, who: str, *, url: str = "", **given: Any) -> str:
    """Activate, roll back, shadow or set a threshold; the next job of the printer is judged by it.

    Args:
        data: folder of the service.
        printer: its name.
        what: ``activate``, ``roll_back``, ``shadow`` or ``set_threshold``.
        who: does it.
        url: of the database; empty: ``journal.db`` in the folder.
        given: the further arguments of that method of ``Registry``.

    Returns:
        What was changed, in words.

    Raises:
        UsageError: nobody did it, no such model, or nothing to go back to.
        DataError: a byte of the model was changed; the old one stays.
    """
    if not who.strip():
        raise UsageError("a change without a name; say who does it with --by")
    audit = getattr(Registry(data), what)(printer, who=who, **given)
    open_journal(data, url=url).engine.dispose()  # made where no service has run yet
    text = f"{who}: {audit['event']}; {_told(audit['before'])} -> {_told(audit['after'])}"
    with looked_into(data, url) as journal:
        journal.say([Message("audit", {**audit, "text": text}, printer)])
    return text


def _told(state: dict[str, Any]) -> str:
    """What is in force, in words."""
    line = "its own line" if state["threshold"] is None else f"line {state['threshold']:g}"
    beside = "" if state["shadow"] is None else f", {state['shadow']} beside it"
    return "nothing" if state["name"] is None else f"{state['name']} {state['version']}, {line}{beside}"
