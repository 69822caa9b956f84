"""Layers that the machine began: kept as spans, and known again after a restart."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.spans import layers_of, united
from layerwatch.inspection.spool import Spooled


@given(some.lists(some.lists(some.integers(0, 40), max_size=5), max_size=12))
def test_spans_hold_just_the_layers_that_were_given(batches: list[list[int]]) -> None:
    spans: list[list[int]] = []
    for batch in batches:
        spans = united(spans, batch)
    assert list(layers_of(spans)) == sorted({layer for batch in batches for layer in batch})
    assert all(a[1] + 1 < b[0] for a, b in pairwise(spans)), "as few as can be"


def test_layers_that_began_are_remembered_until_their_frames_come(journal: Journal) -> None:
    for layer in (3, 1, 2, 7, 2):
        journal.began("P1", "job", [layer], 10.0 + layer)
    assert journal.without_frame("P1", "job") == (1, 2, 3, 7)
    assert [one[:2] for one in journal.jobs_of("P1", running=True)] == [("P1", "job")]
    journal.receive(Delivery(Identity("P1", "job", 2), b"x", ".png", "n"), Spooled("", "a" * 64, 1), 30.0)
    assert Journal(journal.engine).without_frame("P1", "job") == (1, 3, 7)
    assert journal.without_frame("P1", "other") == ()
    assert [one.body["event"] for one in journal.told(kind="job")] == ["began"]
