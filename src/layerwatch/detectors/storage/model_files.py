"""A fitted detector -> the bytes of weights.safetensors and model.json, and back, each guarded by SHA-256."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from layerwatch import catalogue
from layerwatch.detectors.base import Detector
from layerwatch.detectors.storage.exported import Exported
from layerwatch.records import DataError, UsageError
from layerwatch.sealed import Form

EXPORTED = "exported"  # name of a model that another runtime reads
WEIGHTS, DESCRIPTION = "weights.safetensors", "model.json"
_FORM = Form("layerwatch model 1", WEIGHTS, DESCRIPTION, "weights_sha256", "a model", "train again")
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
    arrays = {_LEARNT + key: value for key, value in model.arrays().items()}
    arrays |= {_CALIBRATION + key: value for key, value in calibration.items()}
    told = {"detector": name, "settings": settings_of(model), "provenance": dict(provenance)}
    return _FORM.seal(told, arrays)


def unpack(files: Mapping[str, bytes], where: str) -> StoredModel:
    """Read a model back.

    Raises:
        DataError: a file is missing, was changed, or does not fit the other; ``where`` is in the message.
    """
    sealed = _FORM.unseal(files, where)
    told, arrays = sealed.told, sealed.arrays
    try:
        detector = _rebuild(told["detector"], told["settings"])
        detector.restore(_under(arrays, _LEARNT))
        name, provenance = str(told["detector"]), told["provenance"]
    except (UsageError, TypeError, KeyError, ValueError, RuntimeError) as error:
        raise DataError(f"{where}: settings and weights do not fit each other ({error}); train again") from None
    return StoredModel(detector, name, _under(arrays, _CALIBRATION), provenance, sealed.sha256)


def settings_of(detector: Detector) -> dict[str, Any]:
    """The fields of a detector that are settings, as JSON values."""
    own = (f.name for f in fields(detector) if not f.name.endswith("_") and f.name not in detector.passing)  # type: ignore[arg-type] # things are dataclasses
    return {name: getattr(detector, name) for name in own}


def _rebuild(name: str, settings: Mapping[str, Any]) -> Detector:
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    kind: Any = Exported if name == EXPORTED else catalogue.load("detectors", name)
    built: Detector = kind(**plain)
    return built


def _under(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
