"""What a detector says of many layers <-> one file: scores, critic's features, jobs and kinds, for later tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from safetensors import SafetensorError
from safetensors.numpy import load, save

from layerwatch.records import Reading

FORM = "layerwatch readings 1"
_PREFIX = {"fanogan": "", "vae": "VAE "}  # the paper's own two need no longer name


@dataclass(frozen=True, eq=False)
class Read:
    """Readings of n layers by one detector; every array is in the order of the layers."""

    scores: Mapping[str, Float64[np.ndarray, " n"]]  # "score", and "A_R", "A_D" where the detector has them
    features: Float32[np.ndarray, "n 2 d"] | None  # D_f(X) and D_f(G(E(X)))
    jobs: tuple[str, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, readings: Sequence[Reading], kinds: Sequence[str]) -> Read:
        """From readings in memory."""
        scores = {
            name: values
            for name in ("score", "A_R", "A_D")
            if np.isfinite(values := np.array([getattr(r, name) for r in readings], np.float64)).all()
        }
        features = None
        if readings and readings[0].features is not None:
            features = np.stack([np.asarray(r.features, np.float32) for r in readings])
        return cls(scores, features, tuple(r.job for r in readings), tuple(kinds))

    def take(self, rows: np.ndarray) -> Read:
        """Some of the layers."""
        features = None if self.features is None else self.features[rows]
        chosen = rows.tolist()
        scores = {name: values[rows] for name, values in self.scores.items()}
        return Read(scores, features, tuple(self.jobs[i] for i in chosen), tuple(self.kinds[i] for i in chosen))

    def of_kind(self, kind: str, most: int | None = None) -> Read:
        """The layers of a kind, or the first so many of them."""
        return self.take(np.flatnonzero(np.array(self.kinds) == kind)[:most])

    def inputs(self, name: str) -> dict[str, np.ndarray]:
        """What Table 2 makes of a detector's readings: one vector a layer, by the input's name."""
        prefix = _PREFIX.get(name, f"{name} ")
        words = {"A_R": "A_R", "score": "A", "A_D": "A_D"} if "A_D" in self.scores else {"score": "score"}
        if "A_R" in self.scores and "A_D" not in self.scores:
            words = {"A_R": "A_R"}  # there it is the score
        found = {f"{prefix}{word}": self.scores[key][:, None] for key, word in words.items()}
        if self.features is None:
            return found
        D_f_X, D_f_GEX = self.features[:, 0], self.features[:, 1]
        vectors = {
            "D_f": D_f_X,
            "[D_f, D_f(G(E(X)))]": np.hstack([D_f_X, D_f_GEX]),
            "D_f - D_f(G(E(X)))": D_f_X - D_f_GEX,
        }
        return found | {f"{prefix}{word}": X for word, X in vectors.items()}

    def as_bytes(self, origin: Mapping[str, str]) -> bytes:
        """The file; ``origin`` says of what model and layers."""
        arrays = {f"scores.{name}": values for name, values in self.scores.items()}
        if self.features is not None:
            arrays["features"] = self.features
        told = {"form": FORM, "jobs": json.dumps(self.jobs), "kinds": json.dumps(self.kinds), **origin}
        return save(arrays or {"none": np.zeros(0)}, told)

    @classmethod
    def from_bytes(cls, data: bytes, origin: Mapping[str, str]) -> Read | None:
        """The readings, or None where the file is broken, of another form or of another origin."""
        try:
            length = int.from_bytes(data[:8], "little")
            told = json.loads(data[8 : 8 + length])["__metadata__"]
            if told["form"] != FORM or any(told.get(key) != value for key, value in origin.items()):
                return None
            arrays = load(data)
        except (SafetensorError, KeyError, ValueError):
            return None
        scores = {key.removeprefix("scores."): value for key, value in arrays.items() if key.startswith("scores.")}
        return cls(scores, arrays.get("features"), tuple(json.loads(told["jobs"])), tuple(json.loads(told["kinds"])))
