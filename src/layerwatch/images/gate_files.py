"""A fitted gate -> the bytes of gate.safetensors and gate.json, and back, each guarded by SHA-256."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from layerwatch import catalogue
from layerwatch.images.gate.base import Check, Known
from layerwatch.images.gating import LAGS, Gate
from layerwatch.images.tails import Tails
from layerwatch.records import DataError, UsageError
from layerwatch.sealed import Form

NUMBERS, DESCRIPTION = "gate.safetensors", "gate.json"
_FORM = Form("layerwatch gate 1", NUMBERS, DESCRIPTION, "numbers_sha256", "a gate", "fit the gate again")


def pack_gate(gate: Gate) -> dict[str, bytes]:
    """The two files of a gate, by their names.

    Raises:
        UsageError: it has learnt nothing yet.
    """
    if gate.known_ is None or gate.tails_ is None:
        raise UsageError("the gate has learnt nothing yet; fit it to healthy frames first")
    told = {
        "known": asdict(gate.known_),
        "checks": [{"name": check.name, "settings": _settings(check)} for check in gate.checks],
    }
    return _FORM.seal(told, {"start": gate.tails_.start, "fall": gate.tails_.fall})


def unpack_gate(files: Mapping[str, bytes], where: str) -> Gate:
    """Read a gate back.

    Raises:
        DataError: a file is missing, was changed, or does not fit the other; ``where`` is in the message.
    """
    sealed = _FORM.unseal(files, where)
    try:
        arrays, known = sealed.arrays, Known(**sealed.told["known"])
        checks = tuple(_check(row) for row in sealed.told["checks"])
        tails = Tails(arrays["start"].astype(np.float64), arrays["fall"].astype(np.float64))
    except (UsageError, TypeError, KeyError, ValueError) as error:
        raise DataError(f"{where}: settings and numbers do not fit each other ({error}); fit the gate again") from None
    if tails.start.shape != (len(LAGS), sum(check.measures for check in checks)):
        raise DataError(f"{where}: the checks of this version take other numbers; fit the gate again")
    return Gate(checks, known, tails)


def _check(row: Mapping[str, Any]) -> Check:
    built: Check = catalogue.load("images.gate", row["name"])(**row["settings"])
    return built


def _settings(check: Check) -> dict[str, Any]:
    return {f.name: getattr(check, f.name) for f in fields(check)}
