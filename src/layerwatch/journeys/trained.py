"""Healthy images and a training -> the model, from disk where it stands already, else trained."""

from __future__ import annotations

from pathlib import Path

from layerwatch.detectors.storage.model_files import StoredModel, settings_of
from layerwatch.journeys.files import load_model
from layerwatch.journeys.sources import Healthy
from layerwatch.journeys.train import Training, fingerprint, new_detector, train
from layerwatch.records import DataError, Progress, silent


def trained(healthy: Healthy, training: Training, folder: Path, *, progress: Progress = silent) -> StoredModel:
    """The model of these images, settings and seed; another one that lies in the folder is replaced.

    Raises:
        UsageError: no such detector, or the folder cannot be written.
        DataError: images that cannot be learnt from, or a diverging training.
    """
    if (folder / "model.json").exists():
        try:
            stored: StoredModel = load_model(folder)
        except DataError:
            return train(healthy, training, folder, overwrite=True, progress=progress)
        p, wanted = stored.provenance, new_detector(training)
        same = type(stored.detector) is type(wanted) and settings_of(stored.detector) == settings_of(wanted)
        if same and p.get("seed") == training.seed and p.get("fit_sha256") == fingerprint(healthy.fit):
            progress(f"{training.detector}: trained before", 1, 1)
            return stored
    return train(healthy, training, folder, overwrite=True, progress=progress)
