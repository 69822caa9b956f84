"""The service as a whole: gaps are alarms, a frame that breaks the program does not stop it, a flood loses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from layerwatch.detectors.base import RunningJob
from layerwatch.detectors.plan_residual import PlanResidual
from layerwatch.images.archive import encode_png
from layerwatch.images.grey import to_uint16
from layerwatch.images.plain_gate import RUNNING, plain_gate
from layerwatch.inspection.cameras.virtual import Virtual, VirtualFrame
from layerwatch.inspection.deliveries import Delivery, Identity
from layerwatch.inspection.examiner import Examiner
from layerwatch.inspection.journal.database import open_engine
from layerwatch.inspection.journal.journal import Journal
from layerwatch.inspection.journal.upgrading import bring_up
from layerwatch.inspection.reading import FrameReader, Planned
from layerwatch.inspection.receiver import Receiver
from layerwatch.inspection.scorer import Inspected
from layerwatch.inspection.service import Line, Service
from layerwatch.inspection.spool import Spool
from layerwatch.records import LayerImage, Reading
from layerwatch.testing.images import healthy_image, healthy_images
from layerwatch.verdict.alarm import AlarmRules
from layerwatch.verdict.judge import Judge
from layerwatch.verdict.localise import fit_spread
from layerwatch.verdict.threshold import fit_threshold

DETECTOR = PlanResidual().fit(healthy_images(40))
READINGS = DETECTOR.read(healthy_images(40, first=40))
JUDGE = Judge(
    fit_threshold(np.array([one.score for one in READINGS]), 0.05),
    fit_spread([one.heat for one in READINGS if one.heat is not None], [None] * len(READINGS)),
)


def served(folder: Path, layers: Sequence[int], detector: PlanResidual = DETECTOR) -> Journal:
    """A service that has judged healthy frames of these layers."""
    engine = open_engine(f"sqlite:///{folder / 'journal.db'}")
    bring_up(engine)
    journal = Journal(engine)

    def planned(job: str, layer: int) -> Planned:
        return Planned(np.asarray(healthy_image(layer).plan))

    frames = [VirtualFrame("job", n, encode_png(to_uint16(healthy_image(n).pixels))) for n in layers]
    examiner = Examiner(detector, JUDGE, None, plain_gate(None, RUNNING))
    inspected = Inspected("printer", examiner, FrameReader(Spool(folder), planned), AlarmRules(float("inf")))
    line = Line(Virtual("printer", frames), inspected)
    Service(folder, journal, [line], {}, heartbeat=0.1).run(Event(), until_done=True)
    return journal


def test_a_gap_in_the_layers_is_an_alarm_that_names_them(tmp_path: Path) -> None:
    journal = served(tmp_path, [1, 2, 3, 7, 8, 9])
    alarms = journal.alarms_of("printer", "job")
    assert [one.body["text"] for one in alarms] == ["dropped: layers 4 to 6"]
    words = {one.layer: one.word for one in journal.verdicts_of("printer", "job")}
    assert {n for n, word in words.items() if word == "FAULT"} == {4, 5, 6}
    assert len(words) == 9


def test_a_frame_that_comes_late_is_judged_after_all(tmp_path: Path) -> None:
    journal = served(tmp_path, [1, 2, 4, 5])
    assert {one.layer: one.word for one in journal.verdicts_of("printer", "job")}[3] == "FAULT"
    again = served(tmp_path, [3])
    assert again.counts()["frames judged"] == 5
    assert again.counts().get("frames missing", 0) == 0


def test_a_frame_without_a_number_is_of_the_layer_that_the_machine_is_at(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'journal.db'}")
    bring_up(engine)
    journal, at = Journal(engine), [("job", 7)]
    receiver = Receiver(Spool(tmp_path), journal, Event(), lambda text: None, lambda: at[0])
    nameless = Delivery(Identity("printer", "", -1), b"frame", ".png", "n", unidentified="no number in its name")
    assert receiver.take(nameless)
    at[0] = ("job", 8)
    assert receiver.take(nameless)  # again, as after a restart: it is still the frame of layer 7
    assert [(one.identity.job, one.identity.layer) for one in journal.waiting("printer", 9)] == [("job", 7)]


@dataclass
class Stumbling(PlanResidual):
    """Breaks on one layer."""

    def begin(self, job: str) -> RunningJob:
        return StumblingJob(self)


@dataclass(frozen=True, eq=False)
class StumblingJob:
    """Breaks on layer 3."""

    detector: PlanResidual

    def update(self, image: LayerImage) -> Reading:
        if image.layer == 3:
            raise RuntimeError("an error that nobody expected")
        return self.detector.read([image])[0]


def test_a_frame_that_breaks_the_program_is_a_fault_and_the_next_are_judged(tmp_path: Path) -> None:
    stumbling = Stumbling()
    stumbling.restore(DETECTOR.arrays())
    verdicts = {one.layer: one for one in served(tmp_path, range(1, 7), stumbling).verdicts_of("printer", "job")}
    assert sorted(verdicts) == [1, 2, 3, 4, 5, 6]
    assert verdicts[3].fault == "program error"
    assert "nobody expected" in verdicts[3].body["reason"]
    assert all(verdicts[n].word != "FAULT" for n in (1, 2, 4, 5, 6))


def test_a_flood_is_judged_in_order_and_none_is_lost(tmp_path: Path) -> None:
    journal = served(tmp_path, range(60))
    assert [one.layer for one in journal.verdicts_of("printer", "job")] == list(range(60))


def test_two_lines_of_one_printer_would_mix_and_the_same_frames_do_not(tmp_path: Path) -> None:
    served(tmp_path, range(5))
    journal = served(tmp_path, range(5))
    assert journal.counts()["verdicts"] == 5
    assert journal.counts()["conflicts"] == 0


@pytest.mark.parametrize("name", ["dropped"])
def test_the_gate_of_a_running_job_counts_layers(name: str) -> None:
    assert name in RUNNING
