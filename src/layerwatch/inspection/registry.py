"""Trained models -> a folder of versions guarded by SHA-256, and which of them is in force for which printer."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from layerwatch.detectors.storage.model_files import unpack
from layerwatch.images.writing import new_folder
from layerwatch.inspection.names import safe
from layerwatch.inspection.seals import (
    MANIFEST,
    broken_file,
    check_folder,
    digests,
    flush,
    sealed,
    unsealed,
    write_through,
)
from layerwatch.records import DataError, UsageError

Audit = dict[str, Any]  # event, who, what, before, after, at; plain JSON
_CHANGING = Lock()  # one change at a time; one service owns the folder


@dataclass(frozen=True)
class Version:
    """One stored model."""

    name: str
    version: str
    path: Path
    sha256: str  # of its manifest: changes with any byte of any file


@dataclass(frozen=True)
class InForce:
    """What judges a printer's layers now."""

    name: str
    version: str
    path: Path
    threshold: float | None  # None: the model's own
    shadow: Version | None  # judges along, and nobody is told
    sha256: str  # of the manifest, when the version was put in force


@dataclass(frozen=True)
class Registry:
    """``models/<name>/<version>/`` and ``printers/<printer>/active.json`` in one folder."""

    folder: Path

    def add(self, name: str, model_folder: Path) -> str:
        """Check a stored model and copy it as the next version; one that is there already keeps its number.

        Raises:
            UsageError: no such folder, or a name that cannot name one.
            DataError: it holds no sound model.
        """
        _check_name(name, "model")
        files = _files_of(model_folder)
        unpack({key: data for key, data in files.items() if "/" not in key}, str(model_folder))
        manifest = sealed({"format": "layerwatch manifest 1", "files": digests(files)})
        with _CHANGING:
            for version in self.versions(name):
                if (self.path(name, version) / MANIFEST).read_bytes() == manifest:
                    self.verify(name, version)
                    return version
            version = f"{max(map(int, self.versions(name)), default=0) + 1:04d}"
            with new_folder(self.path(name, version)) as partial:
                for key, data in {**files, MANIFEST: manifest}.items():
                    write_through(partial / key, data)
                check_folder(partial, self.path(name, version))
            flush(self.path(name, version).parent)
        return version

    def names(self) -> tuple[str, ...]:
        """Names of all models."""
        folder = self.folder / "models"
        return (
            tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name[0] != "."))
            if folder.is_dir()
            else ()
        )

    def versions(self, name: str) -> tuple[str, ...]:
        """Versions of a model, the oldest first; none where there is no such model."""
        _check_name(name, "model")
        folder = self.folder / "models" / name
        found = [p.name for p in folder.iterdir() if p.is_dir() and p.name.isdecimal()] if folder.is_dir() else []
        return tuple(sorted(found, key=int))

    def path(self, name: str, version: str) -> Path:
        """Where a version lies."""
        return self.folder / "models" / name / version

    def verify(self, name: str, version: str) -> Version:
        """Read every byte of a version.

        Raises:
            UsageError: no such model or version.
            DataError: a file is missing, was changed or does not belong there; it is named.
        """
        if version not in self.versions(name):
            there = ", ".join(self.versions(name)) or f"none; models are: {', '.join(self.names()) or 'none'}"
            raise UsageError(f"no version {version!r} of the model {name!r}; there are: {there}")
        path = self.path(name, version)
        return Version(name, version, path, check_folder(path, path))

    def activate(self, printer: str, name: str, version: str, who: str, reason: str = "") -> Audit:
        """Put a version in force, with its own threshold; on any error the old one stays.

        Raises:
            UsageError: no such model or version, or nobody did it.
            DataError: a byte of it was changed.
        """
        found = self.verify(name, version)
        new = {"name": name, "version": version, "sha256": found.sha256, "threshold": None}

        def change(state: dict[str, Any]) -> None:
            state["active"].append(new)

        return self._change(printer, "model activated", who, change, reason)

    def roll_back(self, printer: str, who: str, reason: str = "") -> Audit:
        """Put what was in force before in force again, with its threshold.

        Raises:
            UsageError: there was nothing before.
            DataError: a byte of it was changed since.
        """
        active = self._state(printer)["active"]
        if len(active) < 2:
            raise UsageError(f"printer {printer}: no model was in force before; activate one")
        before = active[-2]
        if self.verify(before["name"], before["version"]).sha256 != before["sha256"]:
            raise _replaced(self.path(before["name"], before["version"]))

        def change(state: dict[str, Any]) -> None:
            if state["active"] != active:
                raise UsageError(f"printer {printer}: somebody else has just changed its model; look again")
            state["active"].pop()

        return self._change(printer, "model rolled back", who, change, reason)

    def shadow(self, printer: str, name: str | None, version: str | None, who: str, reason: str = "") -> Audit:
        """Let a second version judge along; None and None: no longer.

        Raises:
            UsageError: no such model or version, or no model is in force.
            DataError: a byte of it was changed.
        """
        new = None
        if name is not None:
            found = self.verify(name, version or "")
            new = {"name": name, "version": found.version, "sha256": found.sha256}

        def change(state: dict[str, Any]) -> None:
            _now(state, printer)
            state["shadow"] = new

        return self._change(printer, "shadow model set", who, change, reason)

    def set_threshold(self, printer: str, value: float | None, who: str, reason: str) -> Audit:
        """Another threshold than the model's own; None: its own again. It goes with the next activation.

        Raises:
            UsageError: no finite number, no reason, or no model is in force.
        """
        if value is not None and not math.isfinite(value):
            raise UsageError(f"a threshold of {value}; give a finite number")
        if not reason.strip():
            raise UsageError("a threshold without a reason; say why, for those who look at it later")

        def change(state: dict[str, Any]) -> None:
            _now(state, printer)["threshold"] = value

        return self._change(printer, "threshold changed", who, change, reason)

    def in_force(self, printer: str) -> InForce:
        """What judges a printer's layers now. Its files are not read again here, see ``verify``.

        Raises:
            UsageError: no model is in force.
            DataError: active.json is broken.
        """
        state = self._state(printer)
        now, shadow = _now(state, printer), state["shadow"]
        along = None if shadow is None else Version(path=self.path(shadow["name"], shadow["version"]), **shadow)
        name, version = now["name"], now["version"]
        return InForce(name, version, self.path(name, version), now["threshold"], along, now["sha256"])

    def history(self, printer: str) -> tuple[Audit, ...]:
        """Every change, the oldest first."""
        return tuple(self._state(printer)["history"])

    def _file(self, printer: str) -> Path:
        return self.folder / "printers" / safe(printer) / "active.json"

    def _state(self, printer: str) -> dict[str, Any]:
        """The stack of what was put in force (the last one is), the shadow, and all changes."""
        file = self._file(printer)
        if not file.exists():
            return {"format": "layerwatch active 1", "printer": printer, "active": [], "shadow": None, "history": []}
        state = unsealed(file, file)
        if not {"active", "shadow", "history"} <= state.keys():
            raise broken_file(file)
        return state

    def _change(self, printer: str, event: str, who: str, change: Any, reason: str = "") -> Audit:
        if not who.strip():
            raise UsageError(f"{event}: nobody did it; say who")
        with _CHANGING:
            state = self._state(printer)
            before = _told(state)
            change(state)
            audit: Audit = {"event": event, "who": who, "what": printer, "before": before, "after": _told(state)}
            audit |= {"at": time.time(), **({"reason": reason} if reason else {})}
            state["history"].append(audit)
            write_through(self._file(printer), sealed(state))
        return audit


def _now(state: Mapping[str, Any], printer: str) -> dict[str, Any]:
    if not state["active"]:
        raise UsageError(f"printer {printer}: no model is in force; activate one")
    now: dict[str, Any] = state["active"][-1]
    return now


def _told(state: Mapping[str, Any]) -> dict[str, Any]:
    """What is in force, for the audit."""
    now = state["active"][-1] if state["active"] else dict.fromkeys(("name", "version", "sha256", "threshold"))
    return {**now, "shadow": state["shadow"]}


def _check_name(name: str, what: str) -> None:
    if not name or name[0] == "." or safe(name) != name:
        raise UsageError(f"{name!r} cannot name a {what}'s folder; give letters, digits, - and _")


def _replaced(path: Path) -> DataError:
    return DataError(f"{path / MANIFEST} is another one than when the model was in force; activate a version by name")


def _files_of(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give the folder of a model that `layerwatch train` wrote")
    try:
        paths = sorted(p for p in folder.rglob("*") if p.is_file())
        found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}; restore the model") from None
    found.pop(MANIFEST, None)  # of another registry; a new one is written
    return found
