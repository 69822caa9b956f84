"""Names of detectors -> what is compared: each with all that it may know, or with less where that is asked for."""

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

_ALONE = "alone"
DEFAULT = ("plan_aware", f"plan_aware@{_ALONE}", "plan_residual", "pca")


@dataclass(frozen=True)
class Competitor:
    """One line of the table."""

    detector: str  # its name on the shelf
    input: str  # what it may know: "image", "image+plan", "image+plan+job", or a residual
    recipe: str = "quick"
    view: str = ""  # that it gets instead of the image, one of ``VIEWS``
    is_alone: bool = False  # could follow a job, but reads each layer alone: shows what the past is worth

    @property
    def name(self) -> str:
        """Of files."""
        return f"{self.detector}-{self.input}".replace(" ", "_")

    @property
    def follows(self) -> bool:
        """Whether a job is followed from its first layer on."""
        return self.input.endswith("+job")

    def reads(self, condition: str) -> bool:
        """Whether it takes part where something is off; what the past is worth shows where nothing is."""
        return not (self.is_alone and condition)

    def built(self, seed: int = 0) -> Detector:
        """The untrained detector.

        Raises:
            UsageError: there is none of that name, or a package is missing.
        """
        return new_detector(Training.named(self.detector, self.recipe, seed))

    @property
    def settings(self) -> str:
        """All that its answers depend on beside the images: settings and code."""
        code = [code_hash("detectors"), code_hash("images")]  # images lay plans on prints
        return json.dumps([self.detector, self.input, settings_of(self.built()), *code], default=str)


def competitors_of(names: Sequence[str], recipe: str = "quick") -> tuple[Competitor, ...]:
    """Each detector with all that it may know; ``NAME@alone`` has no past of the job, ``NAME@VIEW`` sees a residual.

    Raises:
        UsageError: there is no such detector or view, it needs the plan itself, or it cannot follow a job anyhow.
    """
    return tuple(_competitor(*word.partition("@")[::2], recipe) for word in dict.fromkeys(names))


def _competitor(name: str, view: str, recipe: str) -> Competitor:
    if view and view != _ALONE:
        return _viewing(name, view, recipe)
    one = Competitor(name, "image", recipe).built()
    seen = "image+plan" if "plan" in one.needs else "image"
    follows = type(one).begin is not Detector.begin
    if view and not follows:
        raise UsageError(f"{name}@{_ALONE}: {name} reads each layer alone anyhow; give {name}")
    return Competitor(name, seen + "+job" * (follows and not view), recipe, is_alone=bool(view))


def _viewing(name: str, view: str, recipe: str) -> Competitor:
    """A detector of images that gets a residual."""
    one = Competitor(name, view.replace("_", " "), recipe, view)
    if view not in VIEWS:
        raise UsageError(
            f"{name}@{view}: no such input; there are: {', '.join(f'{name}@{known}' for known in (*VIEWS, _ALONE))}"
        )
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
