"""Healthy virtual jobs -> plan_aware, fitted and calibrated, with the line of its alarms; kept in the data folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

import layerwatch
from layerwatch.detectors.plan_aware import PlanAware
from layerwatch.detectors.storage.model_files import StoredModel, pack
from layerwatch.evaluation.courses import Course, line_of
from layerwatch.journeys.files import save_model
from layerwatch.journeys.plates import Plate
from layerwatch.journeys.serving.virtual_plant import PlantWish, healthy_jobs
from layerwatch.journeys.train import load_stored
from layerwatch.records import LayerImage, Progress, silent
from layerwatch.verdict.alarm import AlarmRules
from layerwatch.verdict.localise import fit_spread

MODEL = "model"
_FIT, _CALIBRATE, _LAYERS = 4, 4, 16  # healthy jobs to learn from and to set lines by, and layers of each
_LEAST_LINE = 3.5  # that the usual variety of jobs needs, where few jobs set the line
_CRITICAL_K = 3.0  # K, from which a defect is critical at once


def model_of(wish: PlantWish, plate: Plate, folder: Path, progress: Progress = silent) -> StoredModel:
    """The model in the folder, or a new one that is put there.

    Raises:
        DataError: what lies there is broken.
    """
    place = folder / MODEL
    if not (place / "model.json").exists():
        jobs = healthy_jobs(wish, plate, _FIT + _CALIBRATE, _LAYERS)
        save_model(place, _fitted(wish, jobs, progress))
    return load_stored(place)


def _fitted(wish: PlantWish, jobs: Sequence[Sequence[LayerImage]], progress: Progress) -> dict[str, bytes]:
    fit, others = [image for job in jobs[:_FIT] for image in job], jobs[_FIT:]
    detector = PlanAware().fit(fit, seed=wish.seed, progress=progress)
    readings = [detector.follow(job, step="calibrate") for job in others]
    scores = [np.array([one.score for one in job]) for job in readings]
    courses = [Course(str(n), 0, own, np.zeros(len(own), bool)) for n, own in enumerate(scores)]
    heats = [one.heat for job in readings for one in job if one.heat is not None]
    spread = fit_spread(heats, [image.plan for job in others for image in job])
    line = max(line_of(courses).value, _LEAST_LINE)
    calibration = {"scores": np.concatenate(scores), "heat_level": spread.level, "line": np.array([line])}
    calibration |= {"job_maxima": np.array([own.max() for own in scores])}
    known = {"mm_per_px": wish.machine.mm_per_px, "span": list(wish.machine.span), "seed": wish.seed}
    told = {"layerwatch": layerwatch.__version__, "data": "virtual jobs", "pixels": list(fit[0].pixels.shape), **known}
    return pack(detector, "plan_aware", calibration, told)


def rules_of(model: StoredModel) -> AlarmRules:
    """When the service raises an alarm with this model."""
    return AlarmRules(float(model.calibration["line"][0]), critical_amplitude=_CRITICAL_K, unit="K")
