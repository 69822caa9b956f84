"""A protocol and a folder -> archives, models, readings and figures, each made once and found again by its name."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch import __version__
from layerwatch.crew.base import Crew
from layerwatch.detectors.base import Detector
from layerwatch.detectors.storage.model_files import StoredModel, settings_of
from layerwatch.evaluation.cohorts import Cohort
from layerwatch.images.archive import Archive
from layerwatch.images.writing import write_file
from layerwatch.job.machine import Machine
from layerwatch.journeys.evaluate import read_all
from layerwatch.journeys.readings import Read
from layerwatch.journeys.reproduction.contamination import replaced, uncleaned
from layerwatch.journeys.reproduction.origin import code_mark, module_of
from layerwatch.journeys.reproduction.protocol import AS_IN_THE_PAPER, Protocol
from layerwatch.journeys.reproduction.variants import varied
from layerwatch.journeys.settings import changed_settings
from layerwatch.journeys.sources import Healthy, Labelled, healthy_images, labelled_images
from layerwatch.journeys.synthesise import Wish, synthesise
from layerwatch.journeys.train import Training, fingerprint, new_detector
from layerwatch.journeys.trained import trained
from layerwatch.records import Progress, silent


@dataclass(frozen=True)
class Network:
    """One model of the reproduction: a detector with settings of its own, a seed, and the healthy layers it learns."""

    detector: str
    seed: int
    changes: tuple[str, ...] = ()  # of the recipe's settings
    learn: str = "learn"  # archive of healthy jobs

    @property
    def name(self) -> str:
        """Of its folder."""
        learn = () if self.learn == "learn" else (self.learn,)
        return "-".join((self.detector, *learn, *self.changes, str(self.seed)))


@dataclass(frozen=True, eq=False)
class Workshop:
    """Whatever is asked for is taken from the folder where it stands, and made and kept where it does not.

    So an interrupted reproduction goes on where it was, and stages need not know which of them came first.
    """

    protocol: Protocol
    parts: Sequence[Path]
    machine: Machine
    folder: Path
    crew: Crew
    progress: Progress = silent
    _archives: dict[str, Archive] = field(default_factory=dict, repr=False)

    def archive(self, name: str) -> Archive:
        """Print the jobs of an archive: "learn", "more", or defects of a severity as "severity-4"."""
        if name not in self._archives:
            out, wish = self.folder / "archives" / name, self._wish(name)
            self._archives[name] = synthesise(
                self.parts, out, self.machine, wish, crew=self.crew, progress=self._named(name)
            )
        return self._archives[name]

    def healthy(self, seed: int, learn: str = "learn") -> Healthy:
        """Jobs to learn from, and held-out ones; with "learn+0.05" not all of what is learnt is healthy."""
        learn, _, share = learn.partition("+")
        archive = self.archive(learn)
        found = _healthy(archive.folder, self.protocol.held_jobs / len(archive.jobs), seed)
        return self._contaminated(found, share, seed) if share else found

    def network(self, detector: str, seed: int, *changes: str, learn: str = "learn") -> Network:
        """A detector as in the paper, with other settings where changes are given."""
        return Network(detector, seed, (*AS_IN_THE_PAPER.get(detector, ()), *changes), learn)

    def model(self, network: Network) -> StoredModel:
        """Train it, or take it up where it was."""
        folder, started = self.folder / "models" / network.name, time.monotonic()
        is_new = not (folder / "model.json").exists()
        healthy = self.healthy(network.seed, network.learn)
        model = trained(healthy, self._training(network), folder, progress=self._named(network.name))
        if is_new:
            self._clock(f"train {network.name}", time.monotonic() - started)
        return model

    def read(self, network: Network, archive: str) -> Read:
        """What the model says of every layer of an archive that is healthy or defective; "held" are its own ones."""
        model, path = self.model(network), self.folder / "readings" / f"{network.name}--{archive}.safetensors"
        data = self._layers(network, archive)
        origin = {"model": model.sha256, "layers": fingerprint(data.images)}
        known = Read.from_bytes(path.read_bytes(), origin) if path.exists() else None
        if known is not None:
            return known
        started = time.monotonic()
        readings = read_all(model, data.images, f"{network.name} reads {archive}", self.progress)
        found = Read.of(readings, data.kinds)
        self._clock(f"read {network.name} {archive}", time.monotonic() - started, len(readings))
        write_file(path, found.as_bytes(origin))
        return found

    def cohort(
        self, networks: Mapping[str, Network], severity: float, *, at: str = "", healthy: str = "held"
    ) -> Cohort:
        """Healthy layers and those of every defect, with the inputs of every network, by a detector's name.

        ``at`` ends the name of the archive of defects, where they are of other data than the protocol's. ``healthy``
        is the archive of healthy layers: those that the network's own split held out, or "more", which no network
        learns from.
        """
        inputs: dict[str, np.ndarray] = {}
        parts: list[Read] = []
        for name, network in networks.items():
            spoiled = self.read(network, f"severity-{severity:g}{at}")
            each = [spoiled.of_kind(kind, self.protocol.each) for kind in self.protocol.defects]
            parts = [self.read(network, healthy), *each]
            rows = [part.inputs(name) for part in parts]
            inputs |= {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}
        jobs = tuple(job for part in parts for job in part.jobs)
        return Cohort(inputs, jobs, tuple(kind for part in parts for kind in part.kinds))

    def remembered(self, name: str, make: Callable[[], Any], *, written_in: str | None = None) -> Any:
        """A figure in JSON, kept under its name with its origin: version, code and settings.

        Where any of them differs, or the file cannot be read, it is made anew.

        Args:
            name: of its file.
            make: makes it; anything that JSON can hold.
            written_in: the module whose code decides it; None: that of ``make``.
        """
        path, module = self.folder / "figures" / f"{name}.json", written_in or module_of(make)
        origin = {"layerwatch": __version__, "code": code_mark(module), "settings": self._settings_mark}
        with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            kept = json.loads(path.read_bytes())
            if kept["origin"] == origin:
                return kept["figure"]
        started = time.monotonic()
        figure = make()
        self._clock(name, time.monotonic() - started)
        write_file(path, (json.dumps({"origin": origin, "figure": figure}) + "\n").encode())
        return json.loads(path.read_bytes())["figure"]

    def untrained(self, network: Network, *changes: str) -> Detector:
        """The network as it is before its training, with further settings changed."""
        training = self._training(replace(network, changes=(*network.changes, *changes)))
        return new_detector(training)

    @property
    def seconds(self) -> dict[str, dict[str, float]]:
        """What each step took when it was made: seconds, and how many layers it was about (0: not counted)."""
        return {key: value for path in sorted(self._clocks.glob("*.json")) for key, value in _json(path).items()}

    @cached_property
    def _settings_mark(self) -> str:
        told = json.dumps([asdict(self.protocol), [part.name for part in self.parts]], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    @cached_property
    def _clocks(self) -> Path:
        return self.folder / "clocks"

    def _clock(self, name: str, seconds: float, layers: int = 0) -> None:
        told = {name: {"seconds": round(seconds, 3), "layers": layers}}
        write_file(self._clocks / f"{name.replace('/', '-')}.json", json.dumps(told).encode())

    def _contaminated(self, healthy: Healthy, wanted: str, seed: int) -> Healthy:
        """With a share of defective layers ("0.05"), or of frames that cleaning would take out ("0.1-uncleaned")."""
        share, _, what = wanted.partition("-")
        if what == "uncleaned":
            others = uncleaned(self.archive("faulty").folder, healthy.fit[0])
        else:
            others = _labelled(self.archive("contaminants").folder).of_kind(healthy=False)
        return replaced(healthy, others, float(share), seed)

    def _training(self, network: Network) -> Training:
        """The recipe's, with the network's own settings and the protocol's precision where networks have one."""
        plain = Training(network.detector, self.protocol.recipe, network.seed)
        detector, changes = new_detector(plain), list(network.changes)
        if "precision" in settings_of(detector):
            changes.append(f"precision={self.protocol.precision}")
        return replace(plain, changes=changed_settings(detector, changes))

    def labelled(self, archive: str) -> Labelled:
        """Every layer of an archive that is healthy or defective."""
        return _labelled(self.archive(archive).folder)

    def _layers(self, network: Network, archive: str) -> Labelled:
        if archive == "held":
            held = self.healthy(network.seed, network.learn).calibration
            return Labelled(held, ("healthy",) * len(held))
        return self.labelled(archive)

    def _wish(self, name: str) -> Wish:
        p, (name, _, variant) = self.protocol, name.partition("@")
        if variant:
            return varied(self._wish(name), variant)
        wish = Wish(p.healthy_jobs, 0, p.layers, preset=p.data, seed=p.data_seed, defects=p.defects)
        if name.startswith("learn-") and name.endswith("-jobs"):
            return replace(wish, healthy=int(name.split("-")[1]) + p.held_jobs)
        if name == "more":
            return replace(wish, healthy=p.more_jobs, seed=p.data_seed + 1)
        if name == "faulty":
            return replace(wish, healthy=2, seed=p.data_seed + 4, faulty=p.faulty_jobs)
        if name == "contaminants":
            return replace(wish, healthy=0, defective=p.defective_jobs, severity=p.severity, seed=p.data_seed + 3)
        if name.startswith("severity-"):
            severity = float(name.removeprefix("severity-"))
            return replace(wish, healthy=0, defective=p.defective_jobs, severity=severity, seed=p.data_seed + 2)
        return wish

    def _named(self, name: str) -> Progress:
        """Progress whose steps say what they are for."""

        def told(step: str, done: int, total: int, note: str = "") -> None:
            self.progress(f"{name}: {step}", done, total, note)

        return told


@lru_cache(2)
def _healthy(folder: Path, share: float, seed: int) -> Healthy:
    return healthy_images(folder, calibration=share, seed=seed)


@lru_cache(2)
def _labelled(folder: Path) -> Labelled:
    found = labelled_images(folder)
    keep = [number for number, kind in enumerate(found.kinds) if kind]
    return Labelled(tuple(found.images[i] for i in keep), tuple(found.kinds[i] for i in keep))


def _json(path: Path) -> dict[str, Any]:
    """What the file tells; nothing where it was damaged."""
    with suppress(ValueError):
        return dict(json.loads(path.read_bytes()))
    return {}
