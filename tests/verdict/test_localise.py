from __future__ import annotations

import numpy as np
import pytest

from layerwatch.records import Fault, LayerImage, Reading
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
