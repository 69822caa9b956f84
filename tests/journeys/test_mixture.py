"""Real and synthetic images together: the share is as wanted, and the threshold sees real images only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwatch.journeys.mixture import mixed
from layerwatch.journeys.sources import Healthy
from layerwatch.records import DataError, UsageError
from layerwatch.testing.images import healthy_images

REAL = Healthy(tuple(healthy_images(10, 16)), tuple(healthy_images(4, 16, first=10)), 1.0)
MADE = Healthy(tuple(healthy_images(30, 16, first=20)), tuple(healthy_images(10, 16, first=50)))


@given(st.floats(0.1, 0.79), st.integers(0, 3))
def test_the_share_is_as_wanted_and_every_real_image_stays(share: float, seed: int) -> None:
    found = mixed(REAL, MADE, share, seed=seed)
    assert found.fit[:10] == REAL.fit
    assert (len(found.fit) - 10) / len(found.fit) == pytest.approx(share, abs=0.5 / 10)
    assert found.calibration == REAL.calibration
    assert len({(image.job, image.layer) for image in found.fit}) == len(found.fit)
    assert [i.layer for i in mixed(REAL, MADE, share, seed=seed).fit] == [i.layer for i in found.fit]


def test_all_synthetic_leaves_real_images_to_the_threshold() -> None:
    found = mixed(REAL, MADE, 1.0)
    assert len(found.fit) == 40
    assert found.calibration == REAL.calibration


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(UsageError, match="share of 0 "):
        mixed(REAL, MADE, 0.0)
    with pytest.raises(DataError, match="takes 90 synthetic ones, and there are 40"):
        mixed(REAL, MADE, 0.9)
    larger = replace(MADE, fit=tuple(healthy_images(2, 24)))
    with pytest.raises(DataError, match="24 x 24 pixels, the real images are 16 x 16"):
        mixed(REAL, larger, 0.5)
