"""A folder of old jobs -> the frames that may be judged as an archive, and what is wrong with the others.

The gate learns on a sample of the history itself, unless one is given. The originals are only read.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch.images.archive import (
    Archive,
    Header,
    StoredLayer,
    abandon_archive,
    begin_archive,
    finish_archive,
    write_job,
)
from layerwatch.images.folder import image_files
from layerwatch.images.gate_files import pack_gate
from layerwatch.images.gating import Gate
from layerwatch.images.history import learn_gate
from layerwatch.images.outside import ReadingChild
from layerwatch.images.writing import check_writable, write_file
from layerwatch.journeys.clean_naming import Found, HistoryFile, named_history
from layerwatch.journeys.clean_pictures import faults_sheet
from layerwatch.journeys.clean_reading import SPAN, Reading
from layerwatch.journeys.clean_reading import Cleaning as Cleaning
from layerwatch.journeys.files import open_gate
from layerwatch.records import DataError, Fault, Progress, Shot, Truth, UsageError, counted, silent

_RESULT = "clean.json"
_USUAL = Cleaning()
_ADVICE = "copy or export the file again"
_TWICE = "look which of the two is right"


@dataclass(frozen=True)
class Cleaned:
    """What came out."""

    frames: int
    usable: int
    faults: tuple[Found, ...]
    learnt: str  # where the gate comes from
    seconds: float

    @property
    def lines(self) -> tuple[str, ...]:
        """For the terminal."""
        kinds = Counter(found.fault.kind for found in self.faults)
        told = [f"  {kind:18s} {count}" for kind, count in kinds.most_common()]
        rate = f"{self.frames / max(self.seconds, 1e-9):.0f} frames/s"
        return (
            f"{counted(self.frames, 'frame')}, {self.usable} of them may be judged; {rate}; gate: {self.learnt}",
            *told,
        )

    def as_json(self, folder: Path) -> dict[str, Any]:
        """For clean.json."""
        return {
            "folder": folder.name,
            "frames": self.frames,
            "usable": self.usable,
            "gate": self.learnt,
            "seconds": self.seconds,
            "by_kind": dict(Counter(one.fault.kind for one in self.faults)),
            "faults": [_row(one) for one in self.faults],
        }


def clean(folder: Path, out: Path, wish: Cleaning = _USUAL, *, progress: Progress = silent) -> Cleaned:
    """Read every frame of a history, keep the sound ones as an archive, and say what is wrong with the others.

    Writes ``clean.json``, ``faults.png`` and the gate beside the archive's own files. An interrupted call goes on
    where it was.

    Args:
        folder: of the history: jobs of image files, at any depth. It is only read.
        out: folder of the archive.
        wish: how the history is to be read.
        progress: told all along.

    Raises:
        UsageError: no such folder, a pattern, scale or span that cannot work, or ``out`` cannot be written.
        DataError: no image in the folder, or too few alike to learn from.
    """
    start = time.monotonic()
    wish.check()
    _check_apart(folder, out)
    check_writable(out)
    header = Header(wish.mm_per_px, wish.span or SPAN, {"cleaned": folder.name, **_plain(wish)})
    before = _done_before(out, header)
    if before is not None:
        return before
    given = None if wish.gate is None else open_gate(wish.gate)
    with ReadingChild() as child:
        history = named_history(folder, image_files(folder), wish.naming, child, progress)
        jobs, nameless = history.sequences, history.nameless
        missing = set(begin_archive(out, header, list(jobs)))
        reading = Reading(wish, child, asks_times=wish.gate is None)
        try:
            gate, learnt = (given, str(wish.gate)) if given else _learnt(reading.sample(jobs, progress))
        except DataError:
            abandon_archive(out, list(jobs))
            raise
        for name, data in pack_gate(gate).items():
            write_file(out / "gate" / name, data)
        total, done = sum(map(len, jobs.values())), 0
        for job, files in jobs.items():
            if job in missing:
                _clean_job(out, job, _Work(files, gate, reading), partial(progress, "clean"), done, total)
            done += len(files)
            progress("clean", done, total)
        rows = [row for job in jobs for row in json.loads(_told_of(out, job).read_bytes())]
        faults = (*nameless, *map(_found, rows))
        write_file(out / "faults.png", faults_sheet(folder, [(one.file, one.fault) for one in faults], child))
    archive = _finished(out, header, jobs)
    frames = total + len(nameless)
    usable = 0 if archive is None else sum(map(len, archive.layers.values()))
    found = Cleaned(frames, usable, faults, learnt, round(time.monotonic() - start, 2))
    write_file(out / _RESULT, _json(found.as_json(folder)))
    return found


def _check_apart(folder: Path, out: Path) -> None:
    """The history and what is made of it must not lie in each other."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give a folder of jobs with image files")
    a, b = folder.resolve(), out.resolve()
    if a == b or a in b.parents or b in a.parents:
        raise UsageError(f"{out} and {folder} lie in each other; choose an --out apart, so that no original is touched")


def _learnt(runs: Sequence[Sequence[Shot]]) -> tuple[Gate, str]:
    """From runs of the history's own frames."""
    lesson = learn_gate(runs)
    return lesson.gate, f"learnt from {lesson.learnt} of {lesson.shown} frames of this history"


@dataclass(frozen=True, eq=False)
class _Work:
    """One job's files, and who reads and judges them."""

    files: Sequence[HistoryFile]
    gate: Gate
    reading: Reading

    def sound(self, job: str, told: list[Found]) -> Iterator[StoredLayer]:
        """Frames that may be judged, one of each layer; the others are told."""
        self.gate.begin(job)
        came: set[int] = set()
        others: list[Fault] = []
        for file, shot in zip(self.files, self.reading.shots(self.files), strict=True):
            answer = self.gate.judge(shot)
            others += answer.others
            fault = self._fault(file, shot, answer.fault, came)
            if fault is not None:
                told.append(Found(file.name, fault))
                continue
            came.add(shot.layer)
            frame = shot.frame if shot.bits == 16 else np.asarray(shot.frame * np.uint16(257))
            truth = Truth(job, shot.layer, "healthy", np.zeros(frame.shape, bool))
            yield StoredLayer(shot.layer, self.reading.wish.layer_height * (shot.layer + 1), frame, None, truth)
        told += self._of_others(others)

    def _of_others(self, faults: Sequence[Fault]) -> Iterator[Found]:
        """Faults that later frames showed, each once, with the layer's file; a layer that came later is not lost."""
        files = {file.layer: file.name for file in self.files}
        for fault in {(fault.layer, fault.kind): fault for fault in faults}.values():
            if fault.kind != "dropped" or fault.layer not in files:
                yield Found(files.get(fault.layer, ""), fault)

    def _fault(self, file: HistoryFile, shot: Shot, seen: Fault | None, came: set[int]) -> Fault | None:
        """What a file that cannot be read, or a layer that came twice, are called."""
        if file.name in self.reading.refused:
            return Fault(shot.job, shot.layer, "truncated", self.reading.refused[file.name], _ADVICE)
        if seen is None and shot.layer in came:
            return Fault(shot.job, shot.layer, "duplicated", "a sound frame of this layer came before", _TWICE)
        return seen


def _clean_job(out: Path, job: str, work: _Work, progress: Callable[[int, int], None], before: int, total: int) -> None:
    """Write the sound layers of one job, and what is wrong with the others."""
    told: list[Found] = []

    def counted() -> Iterator[StoredLayer]:
        for number, layer in enumerate(work.sound(job, told), before + 1):
            yield layer
            progress(number, total)
        write_file(_told_of(out, job), _json([_row(found) for found in told]))  # before the job itself is there

    write_job(out, job, counted())


def _finished(out: Path, header: Header, jobs: Iterable[str]) -> Archive | None:
    """The archive of the jobs that have sound frames; nothing where none has."""
    kept = [job for job in jobs if any((out / "frames" / job).iterdir())]
    return finish_archive(out, header, kept) if kept else None


def _done_before(out: Path, header: Header) -> Cleaned | None:
    """What an earlier call of the same wishes found."""
    if not (out / _RESULT).is_file() or not (out / "archive.json").is_file():
        return None
    if Archive.open(out).header.provenance != header.provenance:
        raise UsageError(f"{out} holds another history, or one cleaned with other settings; choose another --out")
    told = json.loads((out / _RESULT).read_bytes())
    return Cleaned(told["frames"], told["usable"], tuple(map(_found, told["faults"])), told["gate"], told["seconds"])


def _told_of(out: Path, job: str) -> Path:
    return out / "cleaned" / f"{job}.json"


def _row(found: Found) -> dict[str, Any]:
    fault = found.fault
    told = {"job": fault.job, "layer": fault.layer, "kind": fault.kind}
    return {"file": found.file, **told, "evidence": fault.evidence, "advice": fault.advice}


def _found(row: Mapping[str, Any]) -> Found:
    return Found(row["file"], Fault(**{key: row[key] for key in ("job", "layer", "kind", "evidence", "advice")}))


def _plain(wish: Cleaning) -> dict[str, Any]:
    told = asdict(wish) | {"gate": "" if wish.gate is None else wish.gate.name}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in told.items()}


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()
