"""What is said of the layers really printed."""

from __future__ import annotations

import numpy as np

from layerwatch.images.archive import Archive
from layerwatch.journeys.reproduction.printed import _severities, in_words, median_of
from layerwatch.records import DefectRecord, LayerImage


class Told(Archive):
    def defects(self, job: str) -> tuple[DefectRecord, ...]:
        return (
            DefectRecord("porous", 8.5, 1.0, 1.0, 3, 5, 0),
            DefectRecord("shift", 16.0, 0.0, 1.0, 3, 9, 0),
            DefectRecord("porous", 16.0, 1.0, 1.0, 7, 9, 0),
        )


def test_the_severity_of_a_layer_is_that_of_its_own_defect_at_that_height() -> None:
    archive = Told.__new__(Told)
    layers = [LayerImage("porous-0000", layer, np.zeros((2, 2), np.float32)) for layer in (3, 5, 8)]
    assert _severities(archive, layers, "porous") == [8.5, 8.5, 16.0]


def test_words_and_median_tell_what_was_reached_and_not_what_was_asked_for() -> None:
    rows = [
        {"severity": 16.0, "defect": "foreign_object", "layers": 442, "reached_median": 13.6},
        {"severity": 16.0, "defect": "porous", "layers": 500, "reached_median": 16.0},
        {"severity": 16.0, "defect": "shift", "layers": 500, "reached_median": 15.9},
    ]
    assert median_of(rows) == 15.9
    said = in_words(rows)
    assert said.startswith("What was printed at 16: foreign object 442 layers, median severity 13.6;")
