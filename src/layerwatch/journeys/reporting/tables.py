"""The facts of a job -> JSON, and one CSV of its layers and defects."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from layerwatch.journeys.reporting.document import shown
from layerwatch.journeys.reporting.facts import HASH, Facts

_ABOUT = (
    "row",
    "name",
    "first_layer",
    "last_layer",
    "state",
    "score",
    "threshold",
    "p_value",
    "text",
    "core",
    "x",
    "y",
)
_HEAD = (*_ABOUT, "height", "extent", "area", "volume", "amplitude", "frame_sha256", "file")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(facts: Facts, files: Sequence[str]) -> bytes:
    """The facts; ``files`` and ``sha256`` are no part of what was hashed."""
    rest = {key: value for key, value in facts.items() if key != HASH}
    return (
        json.dumps({"facts": rest, HASH: facts[HASH], "files": list(files)}, indent=1, sort_keys=True) + "\n"
    ).encode()


def as_csv(facts: Facts, files: Sequence[str]) -> bytes:
    """A line for each frame, then one for each defect; lengths in mm, no spreadsheet takes a name for a formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _HEAD, restval="", lineterminator="\n")
    writer.writeheader()
    for one, file in zip(facts["layers"], files, strict=True):
        told = {key: one[key] for key in ("state", "score", "threshold", "p_value", "frame_sha256")}
        said = {"row": "layer", "name": one["frame"], "text": one["reason"], "file": file}
        writer.writerow(_plain({**said, **told, "first_layer": one["layer"], "last_layer": one["layer"]}))
    keys = ("name", "first_layer", "last_layer", "x", "y", "height", "extent", "area", "volume", "amplitude")
    for one in facts["defects"]:
        writer.writerow(
            _plain({"row": "defect", "state": one["level"], "core": one["part"], **{key: one[key] for key in keys}})
        )
    return text.getvalue().encode()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _cell(value) for key, value in row.items()}


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return f"'{shown(value)}" if value.startswith(_FORMULA) else shown(value)
    return "" if value is None else value
