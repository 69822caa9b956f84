"""Rows of plain values -> CSV and Markdown tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from layerwatch.images.writing import write_file

Rows = Sequence[Mapping[str, Any]]
_SYMBOLS = ("A_R", "A_D", "D_f")


def write_csv(path: Path, rows: Rows) -> None:
    """One line a row; columns in the order of the first row, then whatever later ones have; nothing for None."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
    write_file(path, file.getvalue().encode())


def markdown(rows: Rows, columns: Sequence[str] | None = None) -> str:
    """A table in Markdown, numbers to three digits."""
    names = list(columns or dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(_headed(name) for name in names) + " |", "|" + " --- |" * len(names)]
    lines += ["| " + " | ".join(_short(row.get(name)) for name in names) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _headed(name: str) -> str:
    """Words apart, but for the paper's symbols."""
    return " ".join(word if word in _SYMBOLS else word.replace("_", " ") for word in name.split(" "))


def _plain(value: Any) -> Any:
    return "" if value is None else round(value, 6) if isinstance(value, float) else value


def _short(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|")
