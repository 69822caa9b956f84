"""The part files of a checkout that are printed when no others are given."""

from __future__ import annotations

from pathlib import Path

from layerwatch.records import UsageError

_EXAMPLES = ("core_waterjacket4.stl", "exhaust_42400-IDGH.stl")


def example_parts() -> list[Path]:
    """The example parts, wherever below the checkout the command is called.

    Raises:
        UsageError: they are not there.
    """
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).parents):
        found = [folder / "examples" / "parts" / name for name in _EXAMPLES]
        if all(path.is_file() for path in found):
            return found
    raise UsageError("the example parts are not here; give your own with --part part.stl")
