"""Every frame ends as a verdict: judged, or a fault with its reason; nothing is lost on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from layerwatch.detectors.base import Detector
from layerwatch.detectors.plan_residual import PlanResidual
from layerwatch.images.archive import encode_png
from layerwatch.images.gating import Gate
from layerwatch.images.grey import to_grey, to_uint16
from layerwatch.images.plain_gate import plain_gate
from layerwatch.inspection.frame_folder import Folder
from layerwatch.inspection.inspector import Inspector
from layerwatch.inspection.messages import Message, as_json, verdict_of
from layerwatch.inspection.sinks.base import Sink
from layerwatch.inspection.sinks.jsonl import Jsonl
from layerwatch.records import Fault, LayerImage, Reading, Shot, Verdict
from layerwatch.testing.frames import sound_shots
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
    assert [v.name for v in verdicts] == [f"{layer:03d}.png" for layer in range(1, 13)]
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

    def take(self, message: Message) -> None:
        self.verdicts.append(verdict_of(message.body))


def test_a_verdict_is_with_the_sinks_before_the_next_frame_is_taken(tmp_path: Path) -> None:
    sink = Watching()
    for number, one in enumerate(Inspector(site(tmp_path), DETECTOR, JUDGE, [sink]).run(), 1):
        assert len(sink.verdicts) == number
        assert as_json(sink.verdicts[-1]) == as_json(one.verdict)


@dataclass
class Asked(Detector):
    """Finds every layer ordinary, and notes which ones it was asked about."""

    summary = "for this test"
    source = "this test"

    layers: list[int] = field(default_factory=list)

    def fit(self, images: Sequence[LayerImage], **_: Any) -> Asked:
        return self

    def read(self, images: Sequence[LayerImage]) -> tuple[Reading, ...]:
        self.layers += [image.layer for image in images]
        return tuple(Reading(image.job, image.layer, 0.0) for image in images)

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def restore(self, arrays: dict[str, np.ndarray]) -> Asked:
        return self


@dataclass(frozen=True)
class Given:
    """Frames that are there already."""

    summary = "for this test"
    source = "this test"

    given: tuple[LayerImage | Fault, ...]

    def frames(self) -> Iterator[LayerImage | Fault]:
        yield from self.given


def image_of(shot: Shot) -> LayerImage:
    return LayerImage(shot.job, shot.layer, to_grey(shot.frame, ""), name=f"{shot.layer}.tiff", bits=16)


def test_what_the_gate_refuses_never_reaches_the_detector() -> None:
    """Layer 42 repeats 41, 44 is flipped, 45 cannot be read, 47 never came."""
    gate = Gate().fit(sound_shots(seed) for seed in range(8))
    shots = {shot.layer: image_of(shot) for shot in sound_shots(30, 10)}
    frozen = LayerImage("job", 42, shots[41].pixels, name="42.tiff", bits=16)
    flipped = LayerImage("job", 44, np.ascontiguousarray(shots[44].pixels[:, ::-1]), name="44.tiff", bits=16)
    broken = Fault("job", 45, "unreadable frame", "45.tiff is cut", "the layer is not judged")
    changed: dict[int, LayerImage | Fault] = {42: frozen, 44: flipped, 45: broken}
    frames = tuple(changed.get(layer, image) for layer, image in shots.items() if layer != 47)
    detector, sink = Asked(), Watching()
    for _ in range(2):  # a second run begins anew
        judged = list(Inspector(Given(frames), detector, JUDGE, [sink], gate=gate).run())
    words = {one.verdict.layer: one.verdict.word for one in judged}
    assert [layer for layer, word in words.items() if word == "FAULT"] == [42, 44, 45, 47]
    assert detector.layers == 2 * [40, 41, 43, 46, 48, 49]
    reasons = {v.layer: v.reason for v in sink.verdicts if v.word == "FAULT"}
    assert reasons[42] == "frozen: pixel for pixel the frame of layer 41; wait until the shutter is open, else " + (
        "restart the camera"
    )
    assert reasons[44].startswith("mirrored: flipped, it fits the last sound frame better by ")
    assert reasons[45] == "unreadable frame: 45.tiff is cut; the layer is not judged"
    assert reasons[47].startswith("dropped: no frame between layers 46 and 48; count these layers as unjudged")
    assert [v.name for v in sink.verdicts if v.layer == 44] == 2 * ["44.tiff"]
    assert all(one.image is None and one.reading is None for one in judged if one.verdict.word == "FAULT")


def test_without_a_gate_every_frame_is_asked_about() -> None:
    images = tuple(map(image_of, sound_shots(30, 3)))
    frames = (*images, LayerImage("job", 43, images[2].pixels))
    detector = Asked()
    words = [one.verdict.word for one in Inspector(Given(frames), detector, JUDGE).run()]
    assert (words, detector.layers) == (["OK"] * 4, [40, 41, 42, 43])
    gated = [one.verdict.word for one in Inspector(Given(frames), detector, JUDGE, gate=plain_gate((96, 128))).run()]
    assert gated == ["OK", "OK", "OK", "FAULT"]


def test_a_plan_that_is_not_the_prints_is_a_fault_of_its_own() -> None:
    image = healthy_image(300)
    other = np.zeros_like(np.asarray(image.plan))
    other[2:5, 2:46], other[40:46, 4:8] = 1, 1
    frames = (replace(image, job="a", plan=other, coverage=None), replace(image, job="b"))
    wrong, right = (one.verdict for one in Inspector(Given(frames), DETECTOR, JUDGE).run())
    assert (wrong.word, right.word) == ("FAULT", "OK")
    assert wrong.reason.startswith("plan not registered: ")
    assert "give the plans of this job" in wrong.reason
