from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from layerwatch.job.layout import Instance, fill_bed
from layerwatch.job.machine import default_machine, read_machine, shipped_machines, shipped_text
from layerwatch.records import DataError, UsageError
from tests.job.conftest import machine_of, ring_layers

TEXT = shipped_text()


@pytest.mark.parametrize("name", shipped_machines())
def test_every_shipped_machine_reads(name: str) -> None:
    machine = read_machine(shipped_text(name), name)
    assert machine.bed[0] / machine.width == pytest.approx(machine.bed[1] / machine.height)


def test_a_machine_that_is_not_shipped_is_refused() -> None:
    with pytest.raises(UsageError, match="there are: sand_binder_jetting"):
        shipped_text("mine")


def test_the_default_machine_looks_straight_down() -> None:
    machine = default_machine()
    assert machine.mm_per_px == 3.75
    assert {machine.head, machine.recoater} == {"x", "y"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("layer_height = 0.3", "", "process.layer_height is missing"),
        ("layer_height = 0.3", 'layer_height = "thin"', "must be a number"),
        ("layer_height = 0.3", "layer_height = 0.3\nlayer_heigth = 1", "unknown key process.layer_heigth"),
        ("x = 480.0", "x = -480.0", "must be above 0 mm"),
        ("[bed]", "[bad]", "section [bed] is missing"),
        ("width = 128", "width = 64", "pixels must be square"),
        ('head = "y"', 'head = "x"', "axes.head and axes.recoater"),
        ("bits = 16", "bits = 12", "camera.bits must be 8 or 16"),
        ("low = 20.0", "low = 90.0", "camera.low must be at least 1 degC below"),
        ("[bed]", "[bed", "broken TOML"),
        ("noise = 0.05", "noise = nan", "camera.noise = nan; it must be a finite number"),
        ("low = 20.0", "low = 59.99", "at least 1 degC below"),
        ("rim = 0.0", "rim = 200.0", "bed.rim must lie between"),
        ("swath = 120.0", "swath = 0.12", "head.swath must lie between 1 mm and 10 m"),
        ("swath = 120.0", "", "head.swath is missing"),
        ("emitters = 6", "emitters = 0", "lamp.emitters must lie between 1 and 1000"),
        ("tilt = 0.0", "tilt = 75.0", "camera.tilt must lie between -60 and 60 degrees"),
        ('lamp = "x"', 'lamp = "z"', "axes.lamp"),
        ("x = 480.0", "x = 0.48", "lengths are in mm"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(DataError, match=re.escape(said)):
        read_machine(TEXT.replace(old, new, 1), "mine.toml")


def test_copies_stand_apart_inside_the_bed() -> None:
    machine = machine_of()
    copies = fill_bed(ring_layers(), machine)
    assert len(copies) == 6
    boxes = [copy.bounds for copy in copies]
    for (low, high), (other_low, other_high) in combinations(boxes, 2):
        assert (np.maximum(low, other_low) - np.minimum(high, other_high)).max() >= 19.9
    assert np.min(boxes) >= 0
    assert np.max(boxes) <= 480


def test_a_part_larger_than_the_bed_is_refused() -> None:
    small = replace(machine_of(), bed=(150.0, 150.0, 100.0))
    with pytest.raises(DataError, match="does not fit the bed of 150 x 150 mm"):
        fill_bed(ring_layers(), small)
    assert Instance(ring_layers(), 0.0, 0.0).bounds[0].tolist() == [0, 0]
