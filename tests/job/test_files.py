"""Job layouts and intervals in TOML: read, written, and what is wrong is named."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.job.jobfile import PlacedFile, read_layout
from layerwatch.job.ranges import PRESETS, Interval, paper
from layerwatch.job.rangesfile import preset, read_ranges, write_ranges
from layerwatch.records import DataError, UsageError

LAYOUT = """
[[part]]
file = "core.stl"
x = 40
y = 60.5
turn = 90.0

[[part]]
file = "port.3mf"
x = 200.0
y = 60.0
scale = 0.5
unit = "inch"
"""


def test_a_layout_is_read() -> None:
    assert read_layout(LAYOUT, "job.toml") == (
        PlacedFile("core.stl", 40.0, 60.5, turn=90.0),
        PlacedFile("port.3mf", 200.0, 60.0, scale=0.5, unit="inch"),
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("x = 40\n", "", "job.toml: part 1: x is missing"),
        ("x = 40\n", 'x = "left"\n', "part 1: x = 'left'; it must be a finite number"),
        ("x = 40\n", "x = nan\n", "part 1: x = nan"),
        ("turn", "rotate", "part 1: unknown key rotate; there are: file, unit, x, y, turn, scale"),
        ("scale = 0.5", "scale = 0", "part 2: scale = 0; it must lie between"),
        ("[[part]]", "[[copy]]", "no [[part]] in it"),
        ("[[part]]", "bed = 3\n[[part]]", "unknown key bed"),
        ("[[part]]", "[[part]", "broken TOML"),
    ],
)
def test_what_is_wrong_in_a_layout_is_named(old: str, new: str, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        read_layout(
            LAYOUT.replace(old, new) if old == "[[part]]" and "copy" in new else LAYOUT.replace(old, new, 1), "job.toml"
        )


@given(st.floats(0.01, 5), st.floats(0, 5), st.floats(0, 1))
def test_written_intervals_come_back(low: float, width: float, layer: float) -> None:
    text = write_ranges({"blur": Interval(low, low + width, layer)}, {"blur": "from 12 images"})
    found = read_ranges(text, "ranges.toml", "physical")
    assert found.blur.low == pytest.approx(low, rel=1e-5)
    assert found.blur.high == pytest.approx(low + width, rel=1e-5)
    assert found.blur.layer == pytest.approx(layer, rel=1e-3, abs=1e-4)
    assert found.lamp == PRESETS["physical"]().lamp


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blurr = [1, 2]", "unknown quantity blurr; there are: lamp"),
        ("blur = 3", "blur = 3; it must be written as"),
        ("blur = [2, 1]", "low must not be above high"),
        ("blur = [1, 2, 3]", "the layer's share must lie in 0 to 1"),
        ("blur = [1, nan]", "must be written as"),
        ("blur = [", "broken TOML"),
        ("blur = [-1, -0.5, 0.2]", "blur = [-1, -0.5, 0.2]; low and high must lie in 0 to 50 (px)"),
        ("blur = [500, 600, 0.1]", "must lie in 0 to 50 (px)"),
        ("decay = [1.5, 2, 0.1]", "decay = [1.5, 2, 0.1]; low and high must lie in 0 to 0.95 (a share of the layer"),
        ("sand = [1, 2]", "sand has no effect in the preset paper, lamp is the level of the bed itself; leave it out"),
        ("hot_part = 2", "hot_part = 2; it must be one number in 0 to 1"),
        ("hot_part = [0, 1]", "hot_part = [0, 1]; it must be one number"),
        ("preset = 3\nblur = [0, 1]", "preset = 3; there are: paper, physical"),
        ("", "ranges.toml: no quantity in it"),
        ("# nothing\npreset = 'paper'", "ranges.toml: no quantity in it"),
    ],
)
def test_what_is_wrong_in_intervals_is_named(text: str, said: str) -> None:
    with pytest.raises(DataError, match=re.escape(said)):
        read_ranges(text, "ranges.toml", "paper")


def test_a_file_of_one_preset_is_refused_with_another() -> None:
    text = write_ranges({"blur": Interval(0.5, 0.6)}, {}, preset="paper", hot_part=0.25)
    assert read_ranges(text, "ranges.toml", "paper").hot_part == 0.25
    with pytest.raises(UsageError, match="was learnt for the preset paper, not physical; give --preset paper"):
        read_ranges(text, "ranges.toml", "physical")
    with pytest.raises(DataError, match="decay has no effect in the preset physical"):
        read_ranges("decay = [0.1, 0.2]", "ranges.toml", "physical")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_lies_within_the_physical_limits(name: str) -> None:
    idle = {"paper": {"sand", "chamber", "creep", "pause"}, "physical": {"decay"}}[name]
    for key, own in vars(PRESETS[name]()).items():
        if isinstance(own, Interval) and key not in idle:
            assert getattr(read_ranges(write_ranges({key: own}, {}), "", name), key) == own


def test_no_such_preset() -> None:
    with pytest.raises(UsageError, match="there are: paper, physical"):
        preset("real")


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_variability_widens_about_the_middle_and_keeps_shares_shares(name: str) -> None:
    ranges = PRESETS[name]()
    narrow, wide = ranges.widened(0.0), ranges.widened(8.0)
    for key, value in vars(ranges).items():
        if isinstance(value, Interval):
            less, more = getattr(narrow, key), getattr(wide, key)
            assert less.low == less.high == pytest.approx((value.low + value.high) / 2)
            assert more.low <= value.low <= value.high <= more.high
            assert value.low < 0 or more.low >= 0
    assert wide.texture_memory.high < 1
    assert wide.emissivity.high <= 1
    assert ranges.widened(1.0) == ranges


def test_no_layer_leaves_its_interval() -> None:
    import numpy as np

    from layerwatch.job.ranges import draw_conditions, draw_layer

    ranges, rng = paper(), np.random.default_rng(0)
    for _ in range(50):
        job = draw_conditions(ranges, rng)
        layers = [draw_layer(ranges, job, rng) for _ in range(20)]
        for key in ("lamp", "binder", "decay", "blur", "texture_length"):
            values = [getattr(layer, key) for layer in layers]
            interval = getattr(ranges, key)
            assert interval.low <= min(values) < max(values) <= interval.high
            assert max(abs(v - getattr(job, key)) for v in values) <= interval.reach
