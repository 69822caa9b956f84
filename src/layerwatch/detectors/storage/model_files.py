"""A fitted detector -> the bytes of weights.safetensors and model.json, and back, each guarded by SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from layerwatch import catalogue
from layerwatch.detectors.base import Detector
from layerwatch.detectors.storage.exported import Exported
from layerwatch.records import DataError, UsageError

FORMAT = "layerwatch model 1"
EXPORTED = "exported"  # name of a model that another runtime reads
WEIGHTS, DESCRIPTION = "weights.safetensors", "model.json"
_CALIBRATION = "calibration."
_LEARNT = "detector."


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A detector with what was measured on healthy layers after its training."""

    detector: Detector
    name: str  # on the shelf
    calibration: dict[str, np.ndarray]
    provenance: dict[str, Any]
    sha256: str  # of the weights


def pack(
    model: Detector, name: str, calibration: Mapping[str, np.ndarray], provenance: Mapping[str, Any]
) -> dict[str, bytes]:
    """The two files of a model, by their names."""
    arrays = {_LEARNT + key: np.ascontiguousarray(value) for key, value in model.arrays().items()}
    arrays |= {_CALIBRATION + key: np.ascontiguousarray(value) for key, value in calibration.items()}
    weights = save(arrays)
    told = {
        "format": FORMAT,
        "detector": name,
        "settings": settings_of(model),
        "provenance": dict(provenance),
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    return {WEIGHTS: weights, DESCRIPTION: _json({**told, "sha256": _digest(told)})}


def unpack(files: Mapping[str, bytes], where: str) -> StoredModel:
    """Read a model back.

    Raises:
        DataError: a file is missing, was changed, or does not fit the other; ``where`` is in the message.
    """
    for file in (WEIGHTS, DESCRIPTION):
        if file not in files:
            raise DataError(f"{where}: {file} is missing; a model is a folder with {WEIGHTS} and {DESCRIPTION}")
    told = _description(files[DESCRIPTION], where)
    digest = hashlib.sha256(files[WEIGHTS]).hexdigest()
    if digest != told["weights_sha256"]:
        raise DataError(f"{where}/{WEIGHTS} was changed after training (SHA-256 differs); restore it or train again")
    try:
        arrays = load(files[WEIGHTS])
        detector = _rebuild(told["detector"], told["settings"])
        detector.restore(_under(arrays, _LEARNT))
    except (SafetensorError, UsageError, TypeError, KeyError, ValueError, RuntimeError) as error:
        raise DataError(f"{where}: settings and weights do not fit each other ({error}); train again") from None
    return StoredModel(detector, told["detector"], _under(arrays, _CALIBRATION), told["provenance"], digest)


def settings_of(detector: Detector) -> dict[str, Any]:
    """The fields of a detector that are settings, as JSON values."""
    own = (f.name for f in fields(detector) if not f.name.endswith("_") and f.name not in detector.passing)  # type: ignore[arg-type] # things are dataclasses
    return {name: getattr(detector, name) for name in own}


def _rebuild(name: str, settings: Mapping[str, Any]) -> Detector:
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    kind: Any = Exported if name == EXPORTED else catalogue.load("detectors", name)
    built: Detector = kind(**plain)
    return built


def _description(data: bytes, where: str) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(data)
        sealed = told.pop("sha256")
        form = told["format"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataError(f"{where}/{DESCRIPTION} is broken; restore it or train again") from None
    if form != FORMAT:
        raise DataError(f"{where}: of format {form!r}, this version reads {FORMAT!r}; train again")
    if sealed != _digest(told):
        raise DataError(
            f"{where}/{DESCRIPTION} was changed after training (SHA-256 differs); restore it or train again"
        )
    return told


def _under(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}


def _digest(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
