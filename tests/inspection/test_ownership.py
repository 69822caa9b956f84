"""One data folder has one service."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerwatch.inspection.ownership import owned
from layerwatch.records import UsageError


def test_a_second_service_is_refused_and_a_later_one_is_not(tmp_path: Path) -> None:
    with owned(tmp_path), pytest.raises(UsageError, match="another service"), owned(tmp_path):
        pass
    with owned(tmp_path):
        pass
