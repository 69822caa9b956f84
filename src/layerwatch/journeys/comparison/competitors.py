"""Names of detectors -> what is compared: each detector with all that it may know, and alone where that differs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from layerwatch.detectors.base import Detector
from layerwatch.detectors.storage.model_files import settings_of
from layerwatch.journeys.comparison.views import VIEWS
from layerwatch.journeys.train import Training, new_detector
from layerwatch.records import UsageError

DEFAULT = ("plan_aware", "plan_residual", "pca")


@dataclass(frozen=True)
class Competitor:
    """One line of the table."""

    detector: str  # its name on the shelf
    input: str  # what it may know: "image", "image+plan", "image+plan+job", or a residual
    recipe: str = "quick"
    view: str = ""  # that it gets instead of the image, one of ``VIEWS``

    @property
    def name(self) -> str:
        """Of files."""
        return f"{self.detector}-{self.input}".replace(" ", "_")

    @property
    def follows(self) -> bool:
        """Whether a job is followed from its first layer on."""
        return self.input.endswith("+job")

    def built(self, seed: int = 0) -> Detector:
        """The untrained detector.

        Raises:
            UsageError: there is none of that name, or a package is missing.
        """
        return new_detector(Training.named(self.detector, self.recipe, seed))

    @property
    def settings(self) -> str:
        """All that its answers depend on beside the images: settings and code."""
        return json.dumps([self.detector, self.input, settings_of(self.built()), code_hash("detectors")], default=str)


def competitors_of(names: Sequence[str], recipe: str = "quick") -> tuple[Competitor, ...]:
    """Each detector, and once more without the job's past where it has a use for that; ``NAME@VIEW`` sees a residual.

    Raises:
        UsageError: there is no such detector or view, or the detector needs the plan itself.
    """
    found = list[Competitor]()
    for word in dict.fromkeys(names):
        name, at, view = word.partition("@")
        if at:
            found.append(_viewing(name, view, recipe))
            continue
        one = Competitor(name, "image", recipe).built()
        seen = "image+plan" if "plan" in one.needs else "image"
        if type(one).begin is not Detector.begin:
            found.append(Competitor(name, f"{seen}+job", recipe))
        found.append(Competitor(name, seen, recipe))
    return tuple(found)


def _viewing(name: str, view: str, recipe: str) -> Competitor:
    """A detector of images that gets a residual."""
    one = Competitor(name, view.replace("_", " "), recipe, view)
    if view not in VIEWS:
        raise UsageError(f"{name}@{view}: no such input; there are: {', '.join(f'{name}@{known}' for known in VIEWS)}")
    if "plan" in one.built().needs:
        raise UsageError(f"{name}@{view}: {name} takes the plan away itself; give a detector of images, such as pca")
    return one


def code_hash(room: str) -> str:
    """SHA-256 of a room's code, so that figures of an earlier detector are not taken for those of this one."""
    digest = hashlib.sha256()
    for file in _modules(resources.files("layerwatch").joinpath(room)):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _modules(folder: Traversable) -> list[Traversable]:
    """Python files of a folder and all below, by name."""
    found = list[Traversable]()
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _modules(entry)
        elif entry.name.endswith(".py"):
            found.append(entry)
    return found
