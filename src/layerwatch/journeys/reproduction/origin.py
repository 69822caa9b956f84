"""The module that makes a figure -> a mark of all code that decides it, by which a kept figure is known to be stale."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import layerwatch
from layerwatch import catalogue

ROOMS = ("layerwatch.evaluation", "layerwatch.verdict", "layerwatch.journeys.reproduction")
SHELVES = ("verdict.clusters", "verdict.reductions")
_ROOT = Path(layerwatch.__file__).parent


def module_of(make: Callable[..., Any]) -> str:
    """The module in which a function, or the function of a partial, is written."""
    return module_of(make.func) if isinstance(make, partial) else make.__module__


@cache
def code_mark(module: str) -> str:
    """SHA-256 of the module, of all that it imports from the rooms that count, and of what stands on their shelves.

    Comments and line breaks do not count. Models and readings are not in it: they know their own origin, and are made
    anew where their settings, layers or weights differ.
    """
    digest = hashlib.sha256()
    for path in _reached(Path(str(sys.modules[module].__file__))):
        digest.update(_code(path))
    for shelf in SHELVES:
        digest.update("\n".join(catalogue.names(shelf)).encode())
        for path in sorted(_ROOT.joinpath(*shelf.split(".")).glob("*.py")):
            digest.update(_code(path))
    return digest.hexdigest()


def _reached(start: Path) -> list[Path]:
    """The file, and those that imports lead to within the rooms; in the order of their names."""
    found, waiting = set[Path](), [start]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return sorted(found)


def _imported(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(tuple(f"{room}." for room in ROOMS)):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                file = _ROOT.joinpath(*name.split(".")[1:]).with_suffix(".py")
                if file.exists():
                    yield file


def _code(path: Path) -> bytes:
    return f"{path.name}\n{ast.dump(ast.parse(path.read_text(encoding='utf-8')))}".encode()
