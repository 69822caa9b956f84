"""The camera: what it shows of a flat bed, of a tilted one, and which errors are its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from layerwatch.job.infrared import Camera, apparent
from layerwatch.job.layout import fill_bed
from layerwatch.job.machine import read_machine, shipped_text
from layerwatch.job.printing import JobSettings, print_job
from layerwatch.job.ranges import PRESETS, draw_conditions, physical
from layerwatch.job.sources import Sources, sand_of
from layerwatch.job.view import View
from tests.job.conftest import machine_of, ring_layers


def conditions(**changed: float) -> object:
    return replace(draw_conditions(physical(), np.random.default_rng(0)), **changed)


def test_a_flat_bed_comes_out_at_its_temperature_on_the_fixed_span() -> None:
    machine = replace(machine_of(), noise=0.05)
    c = conditions(vignetting=0.0, fixed_pattern=0.0, drift=0.0)
    camera = Camera.of(machine, c, np.random.default_rng(0))  # type: ignore[arg-type] # built above
    frame = camera.frame(np.full((96, 96), 40.0, np.float32), c, np.random.default_rng(1))  # type: ignore[arg-type]
    degC = frame / 65535 * 40 + 20
    assert degC.mean() == pytest.approx(40, abs=0.01)
    assert degC.std() == pytest.approx(0.05, rel=0.05)


def test_eight_bits_lie_on_the_scale_of_sixteen() -> None:
    machine = replace(machine_of(), bits=8)
    c = conditions()
    camera = Camera.of(machine, c, np.random.default_rng(0))  # type: ignore[arg-type] # built above
    frame = camera.frame(np.full((96, 96), 33.3, np.float32), c, np.random.default_rng(1))  # type: ignore[arg-type]
    assert not (frame % 257).any()


def test_emissivity_pulls_toward_what_is_reflected() -> None:
    c = conditions(emissivity=0.9, emissivity_step=0.0, reflected=20.0)
    surface, coverage = np.full((4, 4), 40.0, np.float32), np.zeros((4, 4), np.float32)
    assert apparent(surface, coverage, c)[0, 0] == pytest.approx(38.0)  # type: ignore[arg-type] # built above


def test_a_straight_view_is_the_bed_and_a_tilted_one_is_narrower_where_it_is_far() -> None:
    straight = View(machine_of())
    corners = straight.homography @ np.array([[0, 0, 1], [480, 480, 1]]).T
    np.testing.assert_allclose(corners[:2] / corners[2], [[0, 96], [0, 96]], atol=1e-9)
    tilted = View(replace(machine_of(), tilt=30.0))
    bed = tilted.frame(np.ones((96, 96), np.float32), 0.0)
    widths = (bed > 0.5).sum(1)
    seen = widths[widths > 0]
    assert seen[0] > seen[-1] > 50
    assert bed.max() == pytest.approx(1, abs=1e-5)
    x, y = 240.0, 240.0
    at = tilted.homography @ np.array([x, y, 1])
    assert 0 < at[0] / at[2] < 96
    assert 0 < at[1] / at[2] < 96


def test_plan_and_frame_of_a_tilted_camera_lie_on_each_other() -> None:
    machine = read_machine(shipped_text("tilted_camera"), "tilted")
    job = JobSettings("job", (1,), machine, fill_bed(ring_layers(), machine), 20, 1, PRESETS["paper"]())
    (printed,) = print_job(job)
    inside, bed = printed.plan > 0, (printed.plan == 0) & (printed.coverage == 0)
    middle = np.zeros_like(bed)
    middle[60:140, 100:220] = True
    low, high = machine.span
    degC = printed.frame / 65535 * (high - low) + low
    assert degC[bed & middle].mean() - degC[inside & (printed.coverage == 255)].mean() > 2.0
    assert printed.coverage[inside].mean() > 200


def test_the_rim_is_the_machines_and_not_sand() -> None:
    machine = replace(machine_of(), rim=27.5)
    sand = sand_of(machine)
    assert sand[:4].max() == 0
    assert sand[48, 48] == 1
    assert sand[48, 5] == pytest.approx(0.5)
    job = JobSettings("job", (1,), machine, fill_bed(ring_layers(), machine), 20, 1, PRESETS["physical"]())
    (printed,) = print_job(job)
    assert not printed.plan[:4].any()


def test_swaths_and_lamp_stripes_follow_the_machines_axes() -> None:
    for head in ("x", "y"):
        machine = replace(machine_of(head=head), lamp=head)
        c = conditions(swaths=0.05)
        sources = Sources.of(physical(), machine, c, np.random.default_rng(0))  # type: ignore[arg-type] # built above
        along = 1 if head == "x" else 0
        assert np.ptp(sources.swath, axis=along).max() == 0
        assert len(np.unique(sources.swath)) == 4
        assert sources.field.std() == pytest.approx(1, abs=0.5)
