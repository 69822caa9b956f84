"""The service as a whole: gaps are alarms, a frame that breaks the program does not stop it, a flood loses nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest
from tests.inspection.receiving import until

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
from layerwatch.inspection.triggers.base import Started, Trigger
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


def idle(printer: str, spool: Spool) -> Inspected:
    """How a printer's frames are judged, where none is to come."""
    return Inspected(printer, Examiner(DETECTOR, JUDGE), FrameReader(spool), AlarmRules(float("inf")))


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


@dataclass
class Telling(Trigger):
    """Tells these layers of one job, all at once."""

    job: str
    told: Sequence[int]

    def layers(self, stop: Event) -> Iterator[Started]:
        for layer in self.told:
            yield Started(self.job, layer, 0.0)


def served_with_trigger(folder: Path, job: str, began: Sequence[int], came: Sequence[int]) -> Journal:
    """A service whose machine tells what it begins, until the job is over."""
    engine = open_engine(f"sqlite:///{folder / 'journal.db'}")
    bring_up(engine)
    journal, stop = Journal(engine), Event()
    frames = [VirtualFrame("job", n, encode_png(to_uint16(healthy_image(n).pixels))) for n in came]
    examiner = Examiner(DETECTOR, JUDGE, None, plain_gate(None, RUNNING))

    def planned(job: str, layer: int) -> Planned:
        return Planned(np.asarray(healthy_image(layer).plan))

    inspected = Inspected("printer", examiner, FrameReader(Spool(folder), planned), AlarmRules(float("inf")))
    line = Line(Virtual("printer", frames), inspected, Telling(job, began), over_after=1.0, over_soon=1.0)
    thread = Thread(target=Service(folder, journal, [line], {}, heartbeat=0.1).run, args=(stop,))
    thread.start()
    try:
        until(lambda: journal.jobs_of("printer") and not journal.jobs_of("printer", running=True), 60)
    finally:
        stop.set()
        thread.join(20)
    return journal


@pytest.mark.parametrize(
    ("came", "gap"), [([1, 2, 3], "layers 4 to 5"), ([3, 4, 5], "layers 1 to 2"), ([], "layers 1 to 5")]
)
def test_layers_that_began_and_never_came_are_gaps_at_the_end_of_the_job(
    tmp_path: Path, came: list[int], gap: str
) -> None:
    journal = served_with_trigger(tmp_path, "job", [1, 2, 3, 4, 5], came)
    words = {one.layer: one.word for one in journal.verdicts_of("printer", "job")}
    assert {n for n, word in words.items() if word == "FAULT"} == set(range(1, 6)) - set(came)
    assert [one.body["text"] for one in journal.alarms_of("printer", "job")] == [f"dropped: {gap}"]
    assert journal.counts()["frames missing"] == 5 - len(came)
    ended = [one.body["text"] for one in journal.told(kind="job") if one.body["event"] == "ended"]
    assert len(ended) == 1
    assert ended[0].startswith("job: 5 layers")


def test_a_machine_that_calls_the_job_otherwise_raises_no_gaps(tmp_path: Path) -> None:
    journal = served_with_trigger(tmp_path, "another name", [1, 2, 3], [1, 2, 3])
    assert {one.word for one in journal.verdicts_of("printer", "job")} <= {"OK", "NOK"}
    assert journal.alarms_of("printer", "another name") == ()


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
