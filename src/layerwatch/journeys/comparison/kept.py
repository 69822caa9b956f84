"""A folder for work that may be broken off -> what was measured before of the same settings, and places for more."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch.evaluation.courses import Course
from layerwatch.images.writing import write_file

_DIGITS = 6


def key_of(*told: object) -> str:
    """SHA-256 of settings."""
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Kept:
    """Files under one folder, each with the key of what it was made from; one of another key counts as missing."""

    folder: Path

    def courses(self, name: str, key: str) -> tuple[Course, ...] | None:
        """Scores that are there already."""
        try:
            told = json.loads((self.folder / "scores" / f"{name}.json").read_text("utf-8"))
            if told["key"] != key:
                return None
            return tuple(
                Course(
                    job["job"],
                    job["seed"],
                    np.array(job["scores"], np.float64),
                    np.array(job["defective"], bool),
                    job["severity"],
                )
                for job in told["jobs"]
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep_courses(self, name: str, key: str, courses: Sequence[Course]) -> None:
        """Write scores.

        Raises:
            UsageError: the folder cannot be written.
        """
        jobs = [
            {
                "job": course.job,
                "seed": course.seed,
                "severity": course.severity,
                "scores": [round(score, _DIGITS) for score in course.scores.tolist()],
                "defective": course.defective.astype(int).tolist(),
            }
            for course in courses
        ]
        write_file(self.folder / "scores" / f"{name}.json", json.dumps({"key": key, "jobs": jobs}).encode())

    def arrays(self, name: str, key: str) -> dict[str, np.ndarray] | None:
        """What a detector learned, where it is there already."""
        try:
            with np.load(self.folder / "fits" / f"{name}.npz", allow_pickle=False) as file:
                found = {entry: file[entry] for entry in file.files}
        except (OSError, ValueError, EOFError):
            return None
        return found if str(found.pop("key", "")) == key else None

    def keep_arrays(self, name: str, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Write what a detector learned.

        Raises:
            UsageError: the folder cannot be written.
        """
        data = io.BytesIO()
        entries: dict[str, Any] = {"key": np.array(key), **arrays}
        np.savez_compressed(data, **entries)
        write_file(self.folder / "fits" / f"{name}.npz", data.getvalue())
