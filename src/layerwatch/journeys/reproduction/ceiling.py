"""Layers less all that their outline explains -> how far a score of the whole image could get with perfect networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float32

from layerwatch.detectors.signals.outline import explain
from layerwatch.evaluation.metrics import auroc, roc_points
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import Rows, markdown, write_csv
from layerwatch.journeys.sources import labelled_images
from layerwatch.records import LayerImage

Row = dict[str, Any]
Rest = Float32[np.ndarray, "h w"]

SCORES: Mapping[str, Callable[[Rest], float]] = {
    "mean square": lambda rest: float(np.square(rest).mean()),  # what A_R would be
    "largest": lambda rest: float(np.abs(rest).max()),
}


def ceiling(shop: Workshop, shown: Shown) -> None:
    """ceiling.csv: AUROC and accuracy of the best threshold after a perfect reconstruction, by severity and defect."""
    rows = [
        row
        for severity in shop.protocol.severities
        for row in shop.remembered(f"ceiling-{severity:g}", partial(_rows, shop, severity))
    ]
    write_csv(shown.folder / "ceiling.csv", rows)
    shown.say("How far could a perfect reconstruction get?", _WORDS, markdown(list(_short(rows))))
    main = {row["score"]: row["accuracy"] for row in rows if _is_main(row, shop.protocol.severity)}
    shown.tell("ceiling", main)


def _rows(shop: Workshop, severity: float) -> list[Row]:
    """One row a score and defect."""
    healthy = shop.healthy(shop.protocol.seeds[0]).calibration
    fine, jobs = _scores(shop, healthy, "held"), [image.job for image in healthy]
    name, rows = f"severity-{severity:g}", list[Row]()
    found = labelled_images(shop.archive(name).folder)
    chosen = {d: [i for i, k in zip(found.images, found.kinds, strict=True) if k == d] for d in shop.protocol.defects}
    layers = {defect: images[: shop.protocol.each] for defect, images in chosen.items()}
    bad = {defect: _scores(shop, images, f"{name} {defect}") for defect, images in layers.items()}
    for score in SCORES:
        every = np.concatenate([values[score] for values in bad.values()])
        their_jobs = [image.job for images in layers.values() for image in images]
        for defect, values in {**{d: v[score] for d, v in bad.items()}, "all": every}.items():
            own = their_jobs if defect == "all" else [image.job for image in layers[defect]]
            area = auroc(fine[score], values, jobs, own)
            false, hits = roc_points(fine[score], values)
            figures = {"auroc": area.value, "auroc_low": area.low, "auroc_high": area.high}
            best = float(((1 - false + hits) / 2).max())
            rows.append({"score": score, "severity": severity, "defect": defect, **figures, "accuracy": best})
    return rows


def _scores(shop: Workshop, images: Sequence[LayerImage], name: str) -> dict[str, np.ndarray]:
    found = []
    for number, image in enumerate(images):
        rest = explain(image).rest
        found.append([score(rest) for score in SCORES.values()])
        shop.progress(f"explain {name}", number + 1, len(images))
    return dict(zip(SCORES, np.array(found).T, strict=True))


def _short(rows: Rows) -> Iterator[Row]:
    """One row a score and severity; columns are the defects."""
    for score, severity in sorted({(row["score"], row["severity"]) for row in rows}):
        here = [row for row in rows if (row["score"], row["severity"]) == (score, severity)]
        areas = {str(row["defect"]).replace("_", " "): row["auroc"] for row in here if row["defect"] != "all"}
        (whole,) = (row for row in here if row["defect"] == "all")
        told = {"AUROC": whole["auroc"], "best accuracy": whole["accuracy"]}
        yield {"score": score, "severity": f"{severity:g}", **told, **areas}


def _is_main(row: Mapping[str, Any], severity: float) -> bool:
    return bool(row["severity"] == severity and row["defect"] == "all")


_WORDS = (
    "Each layer less everything that its nominal outline explains (levels around every pixel, place, sharpness): about "
    "what a perfect generator and encoder would leave. *Mean square* is then what A_R would be, *largest* the largest "
    "deviation of a pixel; accuracy is that of the best threshold, which needs labels. A small defect drowns in the "
    "texture of all other pixels, however well the networks are trained. Of porous parts, whose level differs, more is "
    "explained away than a generator would."
)
