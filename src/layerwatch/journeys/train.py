"""Healthy images -> a trained and calibrated model on disk (section 5.1 of the paper)."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

import layerwatch
from layerwatch import catalogue, recipes
from layerwatch.detectors.base import Detector, DivergedError
from layerwatch.detectors.storage.model_files import StoredModel, pack, settings_of
from layerwatch.images.gate_files import pack_gate
from layerwatch.images.gating import Gate
from layerwatch.images.writing import check_writable
from layerwatch.journeys.files import FolderCheckpoint, load_model, save_model
from layerwatch.journeys.settings import changed_settings
from layerwatch.journeys.sources import Healthy
from layerwatch.journeys.training_story import join_processes, story_of
from layerwatch.recipes import Recipe
from layerwatch.records import DataError, LayerImage, Progress, Reading, UsageError, silent
from layerwatch.verdict.judge import Judge
from layerwatch.verdict.localise import HeatSpread, fit_spread
from layerwatch.verdict.threshold import fit_threshold


@dataclass(frozen=True)
class Training:
    """What is trained."""

    detector: str  # its name on the shelf
    recipe: Recipe
    seed: int = 0
    resume: bool = True  # take up an interrupted training of the same data and settings
    changes: Mapping[str, Any] = field(default_factory=dict)  # of the recipe's settings

    @classmethod
    def named(
        cls, detector: str, recipe: str, seed: int = 0, *, resume: bool = True, changes: Sequence[str] = ()
    ) -> Training:
        """By the names that a user gives.

        Args:
            detector: its name on the shelf.
            recipe: of networks and schedule.
            seed: of weights and batches.
            resume: take up an interrupted training.
            changes: settings that differ from the recipe's, as ``name=value``.

        Raises:
            UsageError: no such detector, recipe, setting or value.
        """
        training = cls(detector, recipes.recipe(recipe), seed, resume)
        training = replace(training, changes=changed_settings(new_detector(training), changes))
        new_detector(training)
        return training


def train(
    healthy: Healthy,
    training: Training,
    out: Path,
    *,
    data: str = "",
    gate: Gate | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> StoredModel:
    """Fit a detector, calibrate it on healthy images that it was not fitted to, store it.

    Args:
        healthy: images to fit to and to calibrate on.
        training: which detector, with which settings and seed.
        out: the model's folder.
        overwrite: replace a model that is there already, when the new one is whole.
        data: what the model is to remember of where its images came from.
        gate: to be stored with the model, for the frames that it will judge.
        progress: told all along.

    Raises:
        UsageError: no such detector, or ``out`` cannot be written.
        DataError: images that cannot be learnt from, or a diverging training.
    """
    check_target(out, overwrite=overwrite)
    model = new_detector(training)
    if "plan" in model.needs and any(image.plan is None for image in healthy.fit):
        raise UsageError(f"{training.detector} needs plans; give an archive, or another --detector, such as fanogan")
    state = FolderCheckpoint(out.with_name(f".{out.name}.training"))
    is_first = join_processes()
    if is_first:
        _begin(state, training, healthy)
    try:
        model.fit(healthy.fit, seed=training.seed, progress=progress if is_first else silent, checkpoint=state)
    except (DataError, UsageError) as error:
        if not state.is_under_way:
            raise
        what = "the last good state" if isinstance(error, DivergedError) else "the state"
        raise type(error)(f"{error}; {what} is in {state.folder}") from None
    finally:
        if is_first and not state.is_under_way:
            state.remove()
    if not is_first:
        sys.exit(0)  # the first process calibrates and stores
    readings = model.follow(healthy.calibration)
    beside = {} if gate is None else pack_gate(gate)
    store(model, training, healthy, readings, out, data=data, beside={**story_of(state.folder), **beside})
    state.remove()
    return load_stored(out)


def store(
    model: Detector,
    training: Training,
    healthy: Healthy,
    readings: Sequence[Reading],
    out: Path,
    *,
    data: str = "",
    maxima: Sequence[float] = (),
    beside: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Write a fitted detector with what its scores mean.

    Args:
        model: the detector.
        training: how it was trained.
        healthy: images that it was fitted to, and others.
        readings: of the others, ``healthy.calibration``.
        out: the model's folder.
        data: where the images came from.
        maxima: highest score of each healthy job, where whole jobs were followed: lines of alarm are set by them.
        beside: further files of the model.
    """
    provenance, calibration = _provenance(training, healthy, data), _calibration(readings, healthy.calibration)
    calibration |= {"job_maxima": np.array(maxima)} if len(maxima) else {}
    save_model(out, {**pack(model, training.detector, calibration, provenance), **beside})


def check_target(out: Path, *, overwrite: bool = False) -> None:
    """Refuse to write a model over something else, or over another model unless that is wanted.

    Raises:
        UsageError: the folder holds other things, is a file, or cannot be written.
    """
    if (out / "model.json").exists() and not overwrite:
        raise UsageError(f"{out} holds a model already; choose another --out, or give --overwrite")
    if out.is_file():
        raise UsageError(f"{out} is a file; give a folder for the model")
    if out.is_dir() and any(out.iterdir()) and not (out / "model.json").exists():
        raise UsageError(f"{out} is not empty and holds no model; choose another --out")
    check_writable(out.parent)


def new_detector(training: Training) -> Detector:
    """The untrained detector with the recipe's settings.

    Raises:
        UsageError: there is none of that name, or a heavy package is missing.
    """
    settings = {**training.recipe.settings.get(training.detector, {}), **training.changes}
    try:
        built: Detector = catalogue.load("detectors", training.detector)(**settings)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{training.detector} needs the package {error.name}; install it, for example with "
            "`pip install layerwatch[torch]`"
        ) from None
    return built


def load_stored(folder: Path) -> StoredModel:
    """A model from disk; errors as in ``load_model``."""
    model: StoredModel = load_model(folder)
    return model


def judge_of(model: StoredModel, rate: float) -> Judge:
    """The judge for a chosen false-alarm rate; the rate can be changed at any time without training.

    Raises:
        UsageError: a rate outside (0, 1).
        DataError: too few healthy calibration layers for that rate.
    """
    threshold = fit_threshold(model.calibration["scores"].astype(np.float64), rate)
    return Judge(threshold, HeatSpread(model.calibration["heat_level"]))


def _calibration(readings: Sequence[Reading], images: Sequence[LayerImage]) -> dict[str, np.ndarray]:
    """What healthy layers look like to the detector: their scores, and how large their heat is."""
    mapped = [(r.heat, i.plan) for r, i in zip(readings, images, strict=True) if r.heat is not None]
    level = fit_spread([heat for heat, _ in mapped], [plan for _, plan in mapped]).level if mapped else np.ones(3, "f4")
    return {"scores": np.array([reading.score for reading in readings]), "heat_level": level}


def _begin(state: FolderCheckpoint, training: Training, healthy: Healthy) -> None:
    """Take up an interrupted training of the same data, settings and seed; what belongs to another one is not lost."""
    wanted = {"images": fingerprint(healthy.fit), "seed": training.seed, **_settings(training)}
    if not training.resume or not state.is_under_way:
        state.remove()
    elif differing := _differing(state.load("origin"), wanted):
        raise UsageError(
            f"{state.folder} holds an interrupted training with other {differing}; give the command as it was to go on "
            "with it, --no-resume to begin afresh, or another --out"
        )
    state.save("origin", json.dumps(wanted, sort_keys=True).encode())


def _differing(origin: bytes | None, wanted: Mapping[str, Any]) -> str:
    """What an interrupted training had otherwise."""
    try:
        had = dict(json.loads(origin or b"{}"))
    except (ValueError, TypeError):
        return "settings, which cannot be read any more"
    now = json.loads(json.dumps(wanted))
    names = [name for name in {**had, **now} if had.get(name) != now.get(name)]
    return ", ".join(name if name == "images" else f"{name} ({had.get(name)}, now {now.get(name)})" for name in names)


def fingerprint(images: Sequence[LayerImage]) -> str:
    """SHA-256 over names and pixels."""
    digest = hashlib.sha256()
    for image in images:
        digest.update(f"{image.job}/{image.layer}/{image.name}".encode("utf-8", "surrogateescape"))
        digest.update(image.pixels.tobytes())
    return digest.hexdigest()


def _settings(training: Training) -> Mapping[str, Any]:
    return {"detector": training.detector, **settings_of(new_detector(training))}


def _provenance(training: Training, healthy: Healthy, data: str) -> dict[str, Any]:
    return {
        "layerwatch": layerwatch.__version__,
        "data": data,
        "recipe": training.recipe.name,
        "changes": dict(training.changes),
        "seed": training.seed,
        "fit_images": len(healthy.fit),
        "calibration_images": len(healthy.calibration),
        "fit_sha256": fingerprint(healthy.fit),
        "mm_per_px": healthy.mm_per_px,
        "span": None if healthy.fit[0].span is None else list(healthy.fit[0].span),
        "pixels": list(healthy.fit[0].pixels.shape),
        "jobs": job_marks((*healthy.fit, *healthy.calibration)),
    }


def job_marks(images: Sequence[LayerImage]) -> dict[str, str]:
    """For each job a mark of its first image, by which it is known again in other data."""
    first = {image.job: image for image in reversed(images)}
    return {job: hashlib.sha256(first[job].pixels.tobytes()).hexdigest()[:16] for job in sorted(first)}
