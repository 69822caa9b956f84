"""Arrays and the words that describe them -> two files that guard each other by SHA-256, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from layerwatch.records import DataError


@dataclass(frozen=True, eq=False)
class Sealed:
    """What was read back."""

    told: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    sha256: str  # of the file of arrays


@dataclass(frozen=True)
class Form:
    """How one kind of thing is kept, and how to speak of it when it is broken."""

    format: str  # and version
    arrays: str  # name of the safetensors file
    description: str  # name of the JSON file
    digest: str  # key of the description, for the SHA-256 of the arrays
    what: str  # such as "a model"
    again: str  # what helps, such as "train again"

    def seal(self, told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[str, bytes]:
        """The two files, by their names."""
        numbers = save({key: np.ascontiguousarray(value) for key, value in arrays.items()})
        words = {"format": self.format, **told, self.digest: hashlib.sha256(numbers).hexdigest()}
        text = json.dumps({**words, "sha256": _digest(words)}, indent=1, sort_keys=True) + "\n"
        return {self.arrays: numbers, self.description: text.encode()}

    def unseal(self, files: Mapping[str, bytes], where: str) -> Sealed:
        """Read both back.

        Raises:
            DataError: a file is missing, broken, of another format or was changed; ``where`` is in the message.
        """
        for file in (self.arrays, self.description):
            if file not in files:
                both = f"{self.arrays} and {self.description}"
                raise DataError(f"{where}: {file} is missing; {self.what} is a folder with {both}")
        told = self._words(files[self.description], where)
        digest = hashlib.sha256(files[self.arrays]).hexdigest()
        if digest != told.get(self.digest):
            raise DataError(f"{where}/{self.arrays} was changed (SHA-256 differs); restore it or {self.again}")
        try:
            return Sealed(told, load(files[self.arrays]), digest)
        except (SafetensorError, ValueError) as error:
            raise DataError(f"{where}/{self.arrays} is broken ({error}); restore it or {self.again}") from None

    def _words(self, data: bytes, where: str) -> dict[str, Any]:
        file = f"{where}/{self.description}"
        try:
            told: dict[str, Any] = json.loads(data)
            seal, form = told.pop("sha256"), told["format"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DataError(f"{file} is broken; restore it or {self.again}") from None
        if form != self.format:
            raise DataError(f"{where}: of format {form!r}, this version reads {self.format!r}; {self.again}")
        if seal != _digest(told):
            raise DataError(f"{file} was changed (SHA-256 differs); restore it or {self.again}")
        return told


def _digest(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
