"""Both ends of the span are one rule: a frame turned about is at the other end, and a defect's own share is not."""

from __future__ import annotations

import numpy as np
import pytest

from layerwatch.images.clock import Clock
from layerwatch.images.gate.base import Known, Past, Seen
from layerwatch.images.gate.saturated import Saturated
from layerwatch.images.gate.under_range import UnderRange
from layerwatch.records import Shot


def found(check: Saturated | UnderRange, frame: np.ndarray) -> str:
    h, w = frame.shape
    seen = Seen(Shot("job", 3, 90.0, frame), Known(h, w, 16, 30.0, False), Past("job", Clock(30.0)))
    finding = check.find(seen, (), np.zeros(0))
    return "" if finding is None else finding.evidence


@pytest.mark.parametrize(
    ("bed", "share", "is_found"), [(62000, 0.3, True), (62000, 0.05, False), (40000, 0.3, False), (62000, 0.0, False)]
)
def test_a_frame_turned_about_is_at_the_other_end(bed: int, share: float, is_found: bool) -> None:
    frame = np.full((128, 128), bed, np.uint16)
    frame[: round(share * 128)] = 65535
    assert found(Saturated(), frame).endswith("upper end of the span") == is_found
    assert not found(UnderRange(), frame)
    turned = np.asarray(65535 - frame, np.uint16)
    assert found(UnderRange(), turned).endswith("lower end of the span") == is_found
    assert not found(Saturated(), turned)
