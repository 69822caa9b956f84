"""A fitted gate -> the bytes of gate.safetensors and gate.json, and back, each guarded by SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from layerwatch import catalogue
from layerwatch.images.gate.base import Check, Known
from layerwatch.images.gating import LAGS, Gate
from layerwatch.images.tails import Tails
from layerwatch.records import DataError, UsageError

FORMAT = "layerwatch gate 1"
NUMBERS, DESCRIPTION = "gate.safetensors", "gate.json"


def pack_gate(gate: Gate) -> dict[str, bytes]:
    """The two files of a gate, by their names.

    Raises:
        UsageError: it has learnt nothing yet.
    """
    if gate.known_ is None or gate.tails_ is None:
        raise UsageError("the gate has learnt nothing yet; fit it to healthy frames first")
    numbers = save({"start": gate.tails_.start, "fall": gate.tails_.fall})
    told = {
        "format": FORMAT,
        "known": asdict(gate.known_),
        "checks": [{"name": check.name, "settings": _settings(check)} for check in gate.checks],
        "numbers_sha256": hashlib.sha256(numbers).hexdigest(),
    }
    return {NUMBERS: numbers, DESCRIPTION: _json({**told, "sha256": _digest(told)})}


def unpack_gate(files: Mapping[str, bytes], where: str) -> Gate:
    """Read a gate back.

    Raises:
        DataError: a file is missing, was changed, or does not fit the other; ``where`` is in the message.
    """
    for file in (NUMBERS, DESCRIPTION):
        if file not in files:
            raise DataError(f"{where}: {file} is missing; a gate is a folder with {NUMBERS} and {DESCRIPTION}")
    told = _description(files[DESCRIPTION], where)
    if hashlib.sha256(files[NUMBERS]).hexdigest() != told["numbers_sha256"]:
        raise DataError(f"{where}/{NUMBERS} was changed (SHA-256 differs); restore it or fit the gate again")
    try:
        arrays, known = load(files[NUMBERS]), Known(**told["known"])
        checks = tuple(_check(row) for row in told["checks"])
        tails = Tails(arrays["start"].astype(np.float64), arrays["fall"].astype(np.float64))
    except (SafetensorError, UsageError, TypeError, KeyError, ValueError) as error:
        raise DataError(f"{where}: settings and numbers do not fit each other ({error}); fit the gate again") from None
    if tails.start.shape != (len(LAGS), sum(check.measures for check in checks)):
        raise DataError(f"{where}: the checks of this version take other numbers; fit the gate again")
    return Gate(checks, known, tails)


def _check(row: Mapping[str, Any]) -> Check:
    built: Check = catalogue.load("images.gate", row["name"])(**row["settings"])
    return built


def _settings(check: Check) -> dict[str, Any]:
    return {f.name: getattr(check, f.name) for f in fields(check)}


def _description(data: bytes, where: str) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(data)
        sealed, form = told.pop("sha256"), told["format"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(f"{where}/{DESCRIPTION} is broken; restore it or fit the gate again") from None
    if form != FORMAT:
        raise DataError(f"{where}: of format {form!r}, this version reads {FORMAT!r}; fit the gate again")
    if sealed != _digest(told):
        raise DataError(f"{where}/{DESCRIPTION} was changed (SHA-256 differs); restore it or fit the gate again")
    return told


def _digest(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
