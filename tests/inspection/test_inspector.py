"""Every frame ends as a verdict: judged, or a fault with its reason; nothing is lost on the way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from layerwatch.detectors.plan_residual import PlanResidual
from layerwatch.images.archive import encode_png
from layerwatch.images.grey import to_uint16
from layerwatch.inspection.cameras.folder import Folder
from layerwatch.inspection.inspector import Inspector
from layerwatch.inspection.sinks.base import Sink
from layerwatch.inspection.sinks.jsonl import Jsonl
from layerwatch.records import Verdict
from layerwatch.testing.images import healthy_image, healthy_images, spoiled_image
from layerwatch.verdict.judge import Judge
from layerwatch.verdict.localise import fit_spread
from layerwatch.verdict.threshold import fit_threshold

TRAIN, CALIBRATION = healthy_images(40), healthy_images(60, first=40)
DETECTOR = PlanResidual().fit(TRAIN)
READINGS = DETECTOR.read(CALIBRATION)
JUDGE = Judge(
    fit_threshold(np.array([r.score for r in READINGS]), 0.05),
    fit_spread([np.asarray(r.heat) for r in READINGS], [i.plan for i in CALIBRATION]),
)


def site(folder: Path) -> Folder:
    """Twelve layers: 4 spoiled, 5 unreadable, 6 without a plan, 7 with a plan of another size, 8 of another size."""
    frames, plans = folder / "frames", folder / "plans"
    frames.mkdir()
    plans.mkdir()
    for layer in range(1, 13):
        image = healthy_image(200 + layer)
        if layer == 4:
            image = spoiled_image(image)
        pixels, plan = to_uint16(image.pixels), np.asarray(image.plan)
        if layer == 8:
            pixels, plan = pixels[:-4], plan[:-4]
        (frames / f"{layer:03d}.png").write_bytes(encode_png(pixels) if layer != 5 else b"\x89PNG half a file")
        if layer != 6:
            (plans / f"{layer:03d}.png").write_bytes(encode_png(plan[:-2] if layer == 7 else plan))
    return Folder(frames, plans, 3.0, "job-1")


def test_every_frame_gets_a_verdict_and_faults_say_why(tmp_path: Path) -> None:
    log = tmp_path / "verdicts.jsonl"
    judged = list(Inspector(site(tmp_path), DETECTOR, JUDGE, [Jsonl(log)]).run())
    verdicts = [one.verdict for one in judged]
    assert [v.layer for v in verdicts] == list(range(1, 13))
    words = {v.layer: v.word for v in verdicts}
    assert words[4] == "NOK"
    assert [layer for layer, word in words.items() if word == "FAULT"] == [5, 6, 7]
    reasons = {v.layer: v.reason for v in verdicts if v.reason}
    assert "005.png" in reasons[5]
    assert "no plan" in reasons[6]
    assert "plan of 48 x 46 pixels for a frame of 48 x 48" in reasons[7]
    told = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(row["layer"], row["word"]) for row in told] == list(words.items())


def test_the_place_of_a_defect_is_told_in_mm(tmp_path: Path) -> None:
    nok = next(one.verdict for one in Inspector(site(tmp_path), DETECTOR, JUDGE).run() if one.verdict.layer == 4)
    region = nok.regions[0]
    assert (region.x, region.y) == pytest.approx((60, 60), abs=9)
    assert nok.p_value < 0.05 < 1


class Watching(Sink):
    """Notes how many frames had been taken when each verdict arrived."""

    summary = "for this test"
    source = "this test"

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    def take(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)


def test_a_verdict_is_with_the_sinks_before_the_next_frame_is_taken(tmp_path: Path) -> None:
    sink = Watching()
    for number, one in enumerate(Inspector(site(tmp_path), DETECTOR, JUDGE, [sink]).run(), 1):
        assert len(sink.verdicts) == number
        assert sink.verdicts[-1] is one.verdict
