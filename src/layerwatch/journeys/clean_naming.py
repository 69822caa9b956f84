"""The files of a history -> the sequences of frames that are judged each by itself, and the files that tell no frame.

A sequence is a job, or one phase of a job where each layer has several frames, such as recoated and printed: these show
different things, and each has a layer's number of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layerwatch.images.naming import UNKNOWN_LAYER, Identified, Naming
from layerwatch.images.outside import ReadingChild
from layerwatch.records import DataError, Fault, Progress, UsageError

PHASE = "@"  # between a job and a phase of it
_MOST_PHASES = 8
_ADVICE = "let the pattern, a sidecar or a tag say the phase of every frame of a job, or of none"


@dataclass(frozen=True)
class Found:
    """A frame that must not be judged, or a layer that never came."""

    file: str  # "" where none came
    fault: Fault


@dataclass(frozen=True)
class HistoryFile:
    """One file, and what it says it is."""

    path: Path
    name: str  # below the folder
    found: Identified
    sequence: str = ""  # that it is a frame of

    @property
    def job(self) -> str:
        """Its name."""
        return str(self.found.identity.job)

    @property
    def layer(self) -> int:
        """Its number; only of a file that says it."""
        return UNKNOWN_LAYER if self.found.identity.layer is None else self.found.identity.layer


@dataclass(frozen=True, eq=False)
class History:
    """What a folder holds."""

    sequences: dict[str, list[HistoryFile]]  # by the name that they have in an archive; files in natural order
    nameless: list[Found]


def named_history(
    folder: Path, paths: Sequence[Path], naming: Naming, child: ReadingChild, progress: Progress
) -> History:
    """Sort the files into sequences; where neither sidecar nor path tells a file's frame, its tags are asked.

    Args:
        folder: of the history.
        paths: of its files, in natural order.
        naming: that must tell job and layer.
        child: reads the files whose tags are asked.
        progress: told after each file.

    Raises:
        UsageError: a pattern that cannot work, or one that gives a job more phases than a layer can have.
        DataError: no file tells its frame.
    """
    files: list[HistoryFile] = []
    nameless: list[Found] = []
    for number, path in enumerate(paths, 1):
        name = str(path.relative_to(folder))
        found = _identified(path, name, naming, child)
        if found.fault is None:
            files.append(HistoryFile(path, name, found))
        else:
            nameless.append(Found(name, found.fault))
        progress("which frame is it", number, len(paths))
    if not files:
        raise DataError(
            f"{folder}: none of {len(nameless)} files says which job and layer it is ({nameless[0].fault.evidence}); "
            "give --pattern, such as {job}/{layer}, sidecars, or tags in the files"
        )
    phases = _phases(files)
    nameless += _of_no_phase(files, phases)
    sequences: dict[str, list[HistoryFile]] = {}
    for file in files:
        phase = file.found.identity.phase
        if len(phases[file.job]) > 1 and phase is None:
            continue
        name = file.job if len(phases[file.job]) < 2 else f"{file.job}{PHASE}{phase}"
        sequences.setdefault(name, []).append(replace(file, sequence=name))
    return History(sequences, nameless)


def _identified(path: Path, name: str, naming: Naming, child: ReadingChild) -> Identified:
    """By sidecar and path; only a file that needs its tags is read for that."""
    found = naming.identify(path)
    if found.fault is None:
        return found
    try:
        return naming.identify(path, child.read(path, name, 0)[0])
    except DataError as error:
        return replace(found, fault=replace(found.fault, evidence=f"{found.fault.evidence}; tags: {error}"))


def _phases(files: Sequence[HistoryFile]) -> dict[str, set[str | None]]:
    """Of each job."""
    phases: dict[str, set[str | None]] = {}
    for file in files:
        phases.setdefault(file.job, set()).add(file.found.identity.phase)
    for job, some in phases.items():
        if len(some) > _MOST_PHASES:
            first, second = sorted(filter(None, some))[:2]
            raise UsageError(
                f"job {job} has {len(some)} phases, such as {first} and {second}; {{phase}} is a step of each "
                "layer, such as recoated or printed: give {layer} or {time} there"
            )
        beside = [f"{job}{PHASE}{phase}" for phase in some if len(some) > 1 and phase]
        if taken := [name for name in beside if any(file.job == name for file in files)]:
            raise UsageError(f"{taken[0]} is both a job and a phase of job {job}; rename the one or the other")
    return phases


def _of_no_phase(files: Sequence[HistoryFile], phases: dict[str, set[str | None]]) -> Iterator[Found]:
    """Frames of a job with phases that do not say theirs."""
    for file in files:
        others = phases[file.job] - {None}
        if file.found.identity.phase is None and others:
            evidence = f"not known: phase; other frames of this job are {' or '.join(sorted(map(str, others)))}"
            yield Found(file.name, Fault(file.job, file.layer, "unidentified", evidence, _ADVICE))
