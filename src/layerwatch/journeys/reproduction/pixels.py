"""Heat maps of defective layers and their true masks -> pixel AUROC and AUPRO of every detector and defect."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from layerwatch.evaluation.pixelwise import aupro, pixel_auroc
from layerwatch.journeys.evaluate import read_all
from layerwatch.journeys.reproduction.shown import Shown
from layerwatch.journeys.reproduction.workshop import Workshop
from layerwatch.journeys.reproduction.writing import markdown, write_csv

Row = dict[str, Any]


def pixelwise(shop: Workshop, shown: Shown) -> None:
    """pixels.csv, at the main severity."""
    rows = [
        row for seed in shop.protocol.seeds for row in shop.remembered(f"pixels-{seed}", partial(_rows, shop, seed))
    ]
    write_csv(shown.folder / "pixels.csv", rows)
    shown.say("Where?", _WORDS, markdown(rows))


def _rows(shop: Workshop, seed: int) -> list[Row]:
    archive, rows = shop.archive(f"severity-{shop.protocol.severity:g}"), list[Row]()
    chosen: dict[str, list[Any]] = {}
    for truth in archive.truths():
        own = chosen.setdefault(truth.label, [])
        if truth.is_defective and truth.mask.any() and len(own) < shop.protocol.mix.each:
            own.append(truth)
    for name in shop.protocol.detectors:
        model, heats, masks = shop.model(shop.network(name, seed)), list[np.ndarray](), list[np.ndarray]()
        for defect in (*shop.protocol.defects, "all"):
            if defect != "all":
                images = [archive.image(truth.job, truth.layer) for truth in chosen[defect]]
                read = read_all(model, images, f"{name} maps {defect}", shop.progress)
                own = [np.abs(reading.heat) for reading in read if reading.heat is not None]
                true = [truth.mask for truth in chosen[defect]]
                heats, masks = heats + own, masks + true
            else:
                own, true = heats, masks
            if len(own) == len(true):
                figures = {"pixel_auroc": pixel_auroc(own, true), "aupro": aupro(own, true)}
                rows.append({"detector": name, "defect": defect, **figures, "layers": len(own), "seed": seed})
    return rows


_WORDS = (
    "Absolute heat against the true mask, layers of each defect at the main severity. AUPRO is integrated to a "
    "false-positive rate of .3, and counts every region alike."
)
