"""Errors of files are told in words for a person, never in Python's."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from layerwatch.records import counted, plainly


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: Path("/no/such/file").read_bytes(), "the file is missing"),
        (lambda: Path("/").read_bytes(), "it cannot be read: is a directory"),
        (lambda: json.loads('{\n"a": nothing}'), "no JSON in line 2"),
        (lambda: b"\xff".decode(), "no text in UTF-8"),
        (lambda: {"a": 1}["layer"], "layer is not in it"),
        (lambda: [1][2], "numbers are missing in it"),
        (lambda: float(json.loads("null")), "something in it is missing or of the wrong kind"),
        (lambda: float("abc"), "'abc' is no number"),
        (lambda: int("1.5"), "'1.5' is no number"),
        (lambda: np.array(["1", "x"]).astype(float), "'x' is no number"),
        (lambda: np.zeros(3).reshape(-1, 2), "a coordinate without its partner"),
    ],
)
def test_what_python_says_is_said_plainly(read: Callable[[], object], said: str) -> None:
    with pytest.raises(Exception) as found:  # noqa: PT011 # of every kind
        read()
    assert plainly(found.value) == said
    assert plainly(ValueError("a point that is NaN")) == "a point that is NaN"


@pytest.mark.parametrize(("number", "told"), [(0, "0 layers"), (1, "1 layer"), (2, "2 layers"), (1000, "1,000 layers")])
def test_a_number_agrees_with_its_noun(number: int, told: str) -> None:
    assert counted(number, "layer") == told
    assert counted(number, "frame waits", "frames wait").endswith("waits" if number == 1 else "wait")
