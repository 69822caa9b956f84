"""Healthy images and models with a generator -> the paper's Figure 5 with numbers: collapse or coverage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8

from layerwatch.detectors.base import Generative
from layerwatch.evaluation.generators import Coverage, coverage_of, nearest_of
from layerwatch.evaluation.training_figures import figure_of_generators
from layerwatch.images.writing import check_result, write_file
from layerwatch.journeys.sources import healthy_images
from layerwatch.journeys.train import load_stored
from layerwatch.records import DataError, Progress, UsageError, silent

Images = Float32[np.ndarray, "n s s"]
_SHOWN = 10  # images in a row of the picture


def compare_generators(
    data: Path,
    models: Sequence[Path],
    out: Path,
    *,
    count: int = 256,
    good: Sequence[str] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> list[str]:
    """Draw and measure what each model's generator makes of a fixed z batch.

    Args:
        data: healthy images that the generators were to learn.
        models: folders of models whose detector has a generator.
        out: the picture; ``.json`` beside it holds the figures.
        count: images of each side.
        good: sub-folders of healthy images.
        seed: of z, and of the choice among the real images.
        progress: told all along.

    Returns:
        What to tell a person, one line a generator.

    Raises:
        UsageError: a model without a generator, or ``out`` cannot be written.
        DataError: too few images.
    """
    check_result(out, [data, *models])
    healthy = healthy_images(data, good=good, calibration=0.25, seed=seed, progress=progress)
    pool = [*healthy.fit, *healthy.calibration]
    if len(pool) < 2 * count:
        raise DataError(f"{data}: {len(pool)} healthy images; comparing {count} takes {2 * count}, so give --images")
    chosen = np.random.default_rng(seed).permutation(len(pool))[: 2 * count]
    shown: dict[str, UInt8[np.ndarray, "k s s"]] = {}
    found: dict[str, Coverage] = {}
    for number, folder in enumerate(models):
        stored = load_stored(folder)
        if not isinstance(stored.detector, Generative):
            raise UsageError(f"{folder}: {stored.name} has no generator; give models of fanogan or anogan")
        real: Images = stored.detector.as_seen([pool[i] for i in chosen])
        name = folder.name
        if "real images" not in shown:
            shown["real images"] = _grey(real[:_SHOWN])
            found["real images, other ones"] = coverage_of(real[:count], real[count:])
        made: Images = stored.detector.generate(count, seed)
        shown[name], found[name] = _grey(made[:_SHOWN]), coverage_of(real[:count], made)
        known = stored.detector.as_seen(pool)
        shown[f"nearest to {name}"] = _grey(known[nearest_of(known, made[:_SHOWN])])
        progress("generators", number + 1, len(models))
    told = {name: f"spread {c.spread:.2f}\nrecall {c.recall:.2f}" for name, c in found.items()}
    write_file(out, figure_of_generators(shown, told))
    figures = {name: asdict(one) for name, one in found.items()}
    write_file(out.with_suffix(".json"), (json.dumps(figures, indent=1) + "\n").encode())
    head = f"{'':28s} spread  precision  recall  nearest"
    return [head, *(f"{name:28s} {_line(one)}" for name, one in found.items())]


def _line(one: Coverage) -> str:
    return f"{one.spread:6.3f}  {one.precision:9.3f}  {one.recall:6.3f}  {one.nearest:7.3f}"


def _grey(images: Images) -> UInt8[np.ndarray, "k s s"]:
    return np.asarray(np.rint(255 * np.clip(images, 0, 1)), np.uint8)
