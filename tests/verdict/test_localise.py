from __future__ import annotations

import numpy as np
import pytest

from layerwatch.records import Fault, Finding, LayerImage, Reading
from layerwatch.verdict.judge import Judge, not_judged
from layerwatch.verdict.localise import fit_spread, localise
from layerwatch.verdict.threshold import fit_threshold

PLAN = np.zeros((64, 64), np.uint8)
PLAN[8:28, 8:56] = 1
PLAN[36:56, 8:56] = 2
RNG = np.random.default_rng(0)


def healthy_heat() -> np.ndarray:
    return RNG.normal(0, 1, (64, 64)).astype(np.float32)


SPREAD = fit_spread([healthy_heat() for _ in range(30)], [PLAN] * 30)


def test_a_planted_spot_is_found_where_it_is_on_the_part_that_it_is_on() -> None:
    heat = healthy_heat()
    heat[42:48, 20:30] -= 9
    found = localise(heat, PLAN, 2.0, SPREAD)[0]
    assert found.part == 2
    assert (found.x, found.y) == pytest.approx((50.0, 90.0), abs=2.0)  # mm
    assert found.area == pytest.approx(6 * 10 * 4.0, rel=0.4)
    assert found.amplitude < -5
    top, left, bottom, right = found.box
    assert 41 <= top <= 43
    assert 19 <= left <= 21
    assert 47 <= bottom <= 49
    assert 29 <= right <= 31
    assert found.extent == 2.0 * max(bottom - top, right - left)


def test_the_strongest_place_comes_first() -> None:
    heat = healthy_heat()
    heat[10:14, 10:14] += 6
    heat[40:44, 40:44] += 12
    first, second, *_ = localise(heat, PLAN, 1.0, SPREAD)
    assert (first.part, second.part) == (2, 1)


def test_where_nothing_stands_out_one_place_is_named_all_the_same() -> None:
    assert len(localise(np.full((64, 64), 1e-3, np.float32), None, 1.0, SPREAD)) == 1


def test_a_score_on_the_line_is_ok_and_above_it_nok_with_places() -> None:
    judge = Judge(fit_threshold(np.arange(99.0), 0.01), SPREAD)
    heat = healthy_heat()
    heat[12:20, 20:30] += 9
    image = LayerImage("job", 3, np.zeros((64, 64), np.float32), 2.0, PLAN, "a.png")
    ok = judge.verdict(Reading("job", 3, 98.0, heat=heat), image)
    nok = judge.verdict(Reading("job", 3, 98.5, heat=heat), image)
    assert (ok.word, ok.regions) == ("OK", ())
    assert (nok.word, nok.regions[0].part, nok.name, nok.layer) == ("NOK", 1, "a.png", 3)
    assert nok.p_value == pytest.approx(0.01)


def test_a_frame_that_cannot_be_judged_is_a_fault_with_its_reason() -> None:
    verdict = not_judged(Fault("job", 7, "unreadable frame", "x.png is broken", "look at the camera"))
    assert (verdict.word, verdict.layer) == ("FAULT", 7)
    assert verdict.reason == "unreadable frame: x.png is broken; look at the camera"


def named(kind: str, text: str, x: float, y: float, part: int = 1) -> Finding:
    return Finding(kind, text, x, y, 8.0, 0.1, part, 6.0)


def test_the_place_of_what_the_detector_names_comes_before_louder_heat_elsewhere() -> None:
    judge = Judge(fit_threshold(np.arange(99.0), 0.01), SPREAD)
    heat = healthy_heat()
    heat[40:44, 40:44] += 12
    image = LayerImage("job", 3, np.zeros((64, 64), np.float32), 2.0, PLAN, "a.png", bits=8)
    reading = Reading("job", 3, 99.0, heat=heat, finding=named("texture loss", "texture loss, 8 mm", 30.0, 40.0))
    first, second, *_ = judge.verdict(reading, image).regions
    assert (first.part, first.x, first.y, first.extent) == (1, 30.0, 40.0, 8.0)
    assert first.box == (18, 13, 22, 17)
    assert second.part == 2
    assert (second.x, second.y) == pytest.approx((84.0, 84.0), abs=2)


def test_a_heat_region_where_the_finding_is_gives_it_its_area_and_is_not_told_twice() -> None:
    judge = Judge(fit_threshold(np.arange(99.0), 0.01), SPREAD)
    heat = healthy_heat()
    heat[40:44, 40:44] += 12
    image = LayerImage("job", 3, np.zeros((64, 64), np.float32), 2.0, PLAN, "a.png", bits=8)
    one = judge.verdict(
        Reading("job", 3, 99.0, heat=heat, finding=named("blob", "spot, 8 mm, +0.1 grey, 1 layer", 83.0, 85.0, 2)),
        image,
    )
    near = [region for region in one.regions if abs(region.x - 84) < 6 and abs(region.y - 84) < 6]
    assert near == [one.regions[0]]
    assert (near[0].part, near[0].x, near[0].y, near[0].extent) == (2, 83.0, 85.0, 8.0)
    assert near[0].area < 36 * 4
    assert one.reason == "spot, 8 mm, +25.5 grey, 1 layer", "in the frame's levels"


def test_a_finding_without_a_place_leaves_the_regions_and_one_on_an_axis_spans_the_frame() -> None:
    judge = Judge(fit_threshold(np.arange(99.0), 0.01), SPREAD)
    image = LayerImage("job", 3, np.zeros((64, 64), np.float32), 2.0, PLAN, "a.png")
    nan = float("nan")
    heat = healthy_heat()
    heat[40:44, 40:44] += 12
    shift = judge.verdict(Reading("job", 3, 99.0, heat=heat, finding=named("shift", "print shifted", nan, nan)), image)
    assert shift.regions == judge.verdict(Reading("job", 3, 99.0, heat=heat), image).regions
    line = judge.verdict(Reading("job", 3, 99.0, finding=named("stripe", "stripe", 20.0, nan)), image)
    assert line.regions[0].box == (0, 8, 64, 12)


def test_pixels_without_a_number_are_told_beside_the_verdict() -> None:
    judge = Judge(fit_threshold(np.arange(99.0), 0.01), SPREAD)
    pixels = np.zeros((64, 64), np.float32)
    pixels[3:5, 3:5] = np.nan
    one = judge.verdict(Reading("job", 3, 1.0), LayerImage("job", 3, pixels, 2.0, PLAN, "a.png"))
    assert (one.word, one.reason) == ("OK", "4 pixels are NaN or infinite and say nothing")
