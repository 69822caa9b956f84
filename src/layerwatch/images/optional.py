"""The name of a package that only one form of file needs -> the package, or the line that installs it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from layerwatch.records import UsageError


def optional(package: str, extra: str, purpose: str) -> Any:
    """A package that only one form needs, imported now.

    Raises:
        UsageError: it is not installed; the message has the line that installs it.
    """
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{purpose} needs the package {error.name}; install it with `pip install 'layerwatch[{extra}]'`"
        ) from None
