"""A folder of old jobs -> the frames that may be judged as an archive, and what is wrong with the others.

The gate learns on a sample of the history itself, unless one is given. The originals are only read.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch.images.archive import Archive, Header, StoredLayer, begin_archive, finish_archive, write_job
from layerwatch.images.arrivals import NO_TIME, unread
from layerwatch.images.folder import image_files
from layerwatch.images.gate_files import pack_gate
from layerwatch.images.gating import Gate
from layerwatch.images.grey import as_grey, to_uint16
from layerwatch.images.history import learn_gate
from layerwatch.images.naming import Identified, Naming, Pattern
from layerwatch.images.outside import ReadingChild
from layerwatch.images.scales import scale_named
from layerwatch.images.writing import check_writable, write_file
from layerwatch.journeys.clean_pictures import faults_sheet
from layerwatch.journeys.files import open_gate
from layerwatch.records import DataError, Fault, Picture, Progress, Shot, Truth, UsageError, silent

_NEEDED = ("job", "layer")
_RESULT = "clean.json"
_SPAN = (20.0, 60.0)  # degC, where nothing is said
_ADVICE = "copy or export the file again"
_TWICE = "look which of the two is right"


@dataclass(frozen=True)
class Cleaning:
    """How a history is to be read."""

    pattern: str = "{job}/{layer}"  # of the paths, for images.naming
    scale: str | None = None  # name of a linear temperature scale, for images.scales
    span: tuple[float, float] | None = None  # degC at grey 0 and 1
    mm_per_px: float = 1.0
    layer_height: float = 0.3  # mm
    gate: Path | None = None  # learnt before; None: learn from the history
    sample: int = 600  # frames to learn from

    @cached_property
    def naming(self) -> Naming:
        """Who says which frame a file is."""
        pattern = Pattern(self.pattern)
        pattern.check()
        return Naming(pattern, _NEEDED)


@dataclass(frozen=True)
class Found:
    """A frame that must not be judged, or a layer that never came."""

    file: str  # "" where none came
    fault: Fault


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
        return (f"{self.frames} frames, {self.usable} of them may be judged; {rate}; gate: {self.learnt}", *told)

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


@dataclass(frozen=True)
class _File:
    """One file, and what it says it is."""

    path: Path
    name: str  # below the folder
    found: Identified


@dataclass(eq=False)
class _Reading:
    """Files -> shots, in a child process; what cannot be read becomes a shot of which nothing arrived."""

    wish: Cleaning
    child: ReadingChild
    refused: dict[str, str] = field(default_factory=dict)  # reason, by file
    kept: dict[str, Shot] = field(default_factory=dict)  # read to learn from and still to be judged, by file

    def shots(self, files: Sequence[_File]) -> Iterator[Shot]:
        """The frame of each file; the next one is read while the last one is looked at."""
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self.shot, files[0])
            for following in (*files[1:], None):
                shot = coming.result()
                if following is not None:
                    coming = ahead.submit(self.shot, following)
                yield shot

    def shot(self, file: _File) -> Shot:
        """The frame, read once only if it was kept."""
        return self.kept.pop(file.name, None) or self._read(file)

    def _read(self, file: _File) -> Shot:
        """The frame with what it claims; a time in s since 1970, NaN where none is known."""
        identity = file.found.identity
        job, layer, when = str(identity.job), int(identity.layer or 0), identity.time
        stamp = NO_TIME if when is None else when.timestamp()
        try:
            picture = self.child.read(file.path, file.name)[0]
            frame, bits = self._levels(picture)
            return Shot(job, layer, stamp, frame, bits)
        except DataError as error:
            self.refused[file.name] = str(error)
            return unread(job, layer)

    def _levels(self, picture: Picture) -> tuple[np.ndarray, int]:
        """Levels of the file's own depth; temperatures through the span."""
        picture = picture if self.wish.scale is None else scale_named(self.wish.scale).celsius(picture)
        if picture.unit != "degC" and picture.pixels.dtype in (np.uint8, np.uint16):
            return picture.pixels.astype(np.uint16), 8 * picture.pixels.dtype.itemsize
        return to_uint16(as_grey(picture, self.wish.span or _SPAN)), 16


def clean(folder: Path, out: Path, wish: Cleaning = Cleaning(), *, progress: Progress = silent) -> Cleaned:
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
    _check_apart(folder, out)
    check_writable(out)
    jobs, nameless = _jobs_of(folder, wish)
    header = Header(wish.mm_per_px, wish.span or _SPAN, {"cleaned": folder.name, **_plain(wish)})
    before = _done_before(out, header)
    if before is not None:
        return before
    missing = set(begin_archive(out, header, list(jobs)))
    with ReadingChild() as child:
        reading = _Reading(wish, child)
        gate, learnt = _gate_of(jobs, reading, progress)
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


def _jobs_of(folder: Path, wish: Cleaning) -> tuple[dict[str, list[_File]], list[Found]]:
    """Files of each job in natural order, and those that do not say what they are."""
    jobs: dict[str, list[_File]] = {}
    nameless: list[Found] = []
    for path in image_files(folder):
        name = str(path.relative_to(folder))
        found = wish.naming.identify(path)
        if found.fault is not None:
            nameless.append(Found(name, found.fault))
        else:
            jobs.setdefault(str(found.identity.job), []).append(_File(path, name, found))
    if not jobs:
        raise DataError(
            f"{folder}: none of {len(nameless)} files says which job and layer it is ({nameless[0].fault.evidence}); "
            "give --pattern, such as {job}/{layer}, or sidecars"
        )
    return jobs, nameless


def _gate_of(jobs: Mapping[str, Sequence[_File]], reading: _Reading, progress: Progress) -> tuple[Gate, str]:
    """The gate that was given, or one learnt from runs of the history's frames."""
    if reading.wish.gate is not None:
        return open_gate(reading.wish.gate), str(reading.wish.gate)
    runs = list(_runs(jobs, reading.wish.sample))
    total, shots = sum(map(len, runs)), list[list[Shot]]()
    for run in runs:
        shots.append([])
        for file, shot in zip(run, reading.shots(run), strict=True):
            shots[-1].append(shot)
            reading.kept[file.name] = shot
            progress("read to learn what is ordinary", len(reading.kept), total)
    lesson = learn_gate(shots)
    return lesson.gate, f"learnt from {lesson.learnt} of {lesson.shown} frames of this history"


def _runs(jobs: Mapping[str, Sequence[_File]], sample: int) -> Iterator[Sequence[_File]]:
    """The beginning of each job, and a run from its middle, so long that they make up the sample."""
    each = max(sample // (2 * len(jobs)), 20)
    for files in jobs.values():
        if len(files) <= 2 * each:
            yield files
            continue
        yield files[:each]
        middle = each + (len(files) - 2 * each) // 2
        yield files[middle : middle + each]


@dataclass(frozen=True, eq=False)
class _Work:
    """One job's files, and who reads and judges them."""

    files: Sequence[_File]
    gate: Gate
    reading: _Reading

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
        files = {int(file.found.identity.layer or 0): file.name for file in self.files}
        for fault in {(fault.layer, fault.kind): fault for fault in faults}.values():
            if fault.kind != "dropped" or fault.layer not in files:
                yield Found(files.get(fault.layer, ""), fault)

    def _fault(self, file: _File, shot: Shot, seen: Fault | None, came: set[int]) -> Fault | None:
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
