"""Shelf and name -> the thing of that name. Listing reads file names and captions only; nothing is imported.

A shelf is a folder with a ``base.py``; every other file in it holds one thing, named as the file: the one public class
defined there that derives from the shelf's base. Outside packages join through the entry-point group
``layerwatch.<shelf>``, for example ``layerwatch.job.defects``.
"""

from __future__ import annotations

import ast
from importlib import import_module, metadata
from inspect import isabstract, isclass
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent


def shelves() -> tuple[str, ...]:
    """Names of all shelves, such as ``job.defects``."""
    bases = sorted(_ROOT.rglob("base.py"))
    return tuple(".".join(base.parent.relative_to(_ROOT).parts) for base in bases)


def names(shelf: str) -> tuple[str, ...]:
    """Names of the things on a shelf, our own and those of installed packages, in alphabetical order."""
    own = {path.stem for path in _files(shelf)}
    return tuple(sorted(own | {entry.name for entry in _entries(shelf)}))


def caption(shelf: str, name: str) -> str:
    """First line of the thing's module, read without importing it; empty for things of other packages."""
    path = _folder(shelf) / f"{name}.py"
    if not path.exists():
        return ""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def load(shelf: str, name: str) -> Any:
    """Import and return the class of that name.

    Raises:
        UsageError: nothing of that name stands on the shelf.
    """
    if (_folder(shelf) / f"{name}.py") in _files(shelf):
        return _one_class(import_module(f"layerwatch.{shelf}.{name}"), shelf)
    for entry in _entries(shelf):
        if entry.name == name:
            return entry.load()
    raise _wrong(f"no {name!r} among {shelf}; there are: {', '.join(names(shelf))}")


def _folder(shelf: str) -> Path:
    folder = _ROOT.joinpath(*shelf.split("."))
    if not (folder / "base.py").exists():
        raise _wrong(f"no shelf {shelf!r}; there are: {', '.join(shelves())}")
    return folder


def _files(shelf: str) -> list[Path]:
    """Every module beside base.py is one thing; what things share lives in sub-packages."""
    return [path for path in sorted(_folder(shelf).glob("*.py")) if path.stem not in {"__init__", "base"}]


def _entries(shelf: str) -> metadata.EntryPoints:
    return metadata.entry_points(group=f"layerwatch.{shelf}")


def _one_class(module: Any, shelf: str) -> Any:
    own = [c for c in vars(module).values() if isclass(c) and c.__module__ == module.__name__]
    things = [c for c in own if hasattr(c, "summary") and not isabstract(c) and not c.__name__.startswith("_")]
    if len(things) != 1:
        raise _wrong(f"layerwatch.{shelf}: {module.__name__} must define one public thing, it has {len(things)}")
    return things[0]


def _wrong(text: str) -> Exception:
    """A UsageError; imported late, because listing must not wait for numpy."""
    from layerwatch.records import UsageError

    return UsageError(text)
