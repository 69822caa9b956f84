"""Progress bars: on every width of terminal the steps and the time left can be read."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from layerwatch.journeys.bars import _Bars


@pytest.mark.parametrize("width", [80, 100, 160])
def test_steps_and_time_left_are_there(width: int) -> None:
    out = io.StringIO()
    with _Bars(Console(file=out, force_terminal=True, width=width)) as report:
        report("reading training images", 80, 80)
        report("WGAN-GP", 41, 1700, "192 images/s  gap 15  penalty 0.287  generator -3.2")
    last = out.getvalue().splitlines()[-2]
    for told in ("WGAN-GP", "41/1700", "-:--:--", "192 images/s"):
        assert told in last
