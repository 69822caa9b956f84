"""The files of a history -> its frames as shots, in a child process, and those of them that a gate may learn from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from layerwatch.images.arrivals import NO_TIME, unread
from layerwatch.images.folder import read_picture
from layerwatch.images.grey import as_grey, check_span, to_uint16
from layerwatch.images.naming import Naming, Pattern
from layerwatch.images.outside import ReadingChild
from layerwatch.images.scales import scale_named
from layerwatch.journeys.clean_naming import HistoryFile
from layerwatch.records import DataError, Picture, Progress, Shot, UsageError

_NEEDED = ("job", "layer")
SPAN = (20.0, 60.0)  # degC, where nothing is said
_RUN = 20  # frames of a job in a row, that teach something
_GOLDEN = 0.6180339887498949  # whose multiples fill a circle evenly


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

    def check(self) -> None:
        """Refuse what cannot work before any file is read.

        Raises:
            UsageError: a pattern, scale, span or size that cannot work.
        """
        check_span(self.span)
        if self.scale is not None:
            scale_named(self.scale)
        if not (0 < self.mm_per_px < 1000 and 0 < self.layer_height < 1000):
            raise UsageError(f"{self.mm_per_px:g} mm per pixel, layers of {self.layer_height:g} mm; give sizes above 0")
        _ = self.naming

    @cached_property
    def naming(self) -> Naming:
        """Who says which frame a file is."""
        pattern = Pattern(self.pattern)
        pattern.check()
        return Naming(pattern, _NEEDED)


@dataclass(eq=False)
class Reading:
    """Files -> shots, in a child process; what cannot be read becomes a shot of which nothing arrived."""

    wish: Cleaning
    child: ReadingChild
    asks_times: bool  # of tags, where neither sidecar nor path says the time
    refused: dict[str, str] = field(default_factory=dict)  # reason, by file
    by_tags: set[str] = field(default_factory=set)  # files whose tags were asked for the time
    kept: dict[str, Shot] = field(default_factory=dict)  # read to learn from and still to be judged, by file

    def shots(self, files: Sequence[HistoryFile]) -> Iterator[Shot]:
        """The frame of each file; the next one is read while the last one is looked at."""
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self.shot, files[0])
            for following in (*files[1:], None):
                shot = coming.result()
                if following is not None:
                    coming = ahead.submit(self.shot, following)
                yield shot

    def shot(self, file: HistoryFile) -> Shot:
        """The frame, read once only if it was kept."""
        return self.kept.pop(file.name, None) or self._read(file)

    def sample(self, jobs: Mapping[str, Sequence[HistoryFile]], progress: Progress) -> list[list[Shot]]:
        """Runs of frames to learn from, kept until they are judged; clocks that do not go are not believed.

        Args:
            jobs: files of each sequence.
            progress: told after each frame.
        """
        runs = list(_runs(jobs, self.wish.sample))
        total = sum(map(len, runs))
        for run in runs:
            for file, shot in zip(run, self.shots(run), strict=True):
                self.kept[file.name] = shot
                progress("read to learn what is ordinary", len(self.kept), total)
        if not all(_rises([self.kept[file.name] for file in run if file.name in self.by_tags]) for run in runs):
            self.asks_times = False
            for name in self.by_tags & set(self.kept):
                self.kept[name] = replace(self.kept[name], time=NO_TIME)
        return [[self.kept[file.name] for file in run] for run in runs]

    def _read(self, file: HistoryFile) -> Shot:
        """The frame with what it claims; a time in s since 1970, NaN where none is known."""
        when = file.found.identity.time
        try:
            picture = read_picture(file.path, file.name, read=self.child.read)
            if when is None and self.asks_times:
                when = self.wish.naming.identify(file.path, picture).identity.time
                self.by_tags.add(file.name)
            frame, bits = self._levels(picture)
            return Shot(file.sequence, file.layer, NO_TIME if when is None else when.timestamp(), frame, bits)
        except DataError as error:
            self.refused[file.name] = str(error)
            return unread(file.sequence, file.layer)

    def _levels(self, picture: Picture) -> tuple[np.ndarray, int]:
        """Levels of the file's own depth; temperatures through the span."""
        picture = picture if self.wish.scale is None else scale_named(self.wish.scale).celsius(picture)
        if picture.unit != "degC" and picture.pixels.dtype in (np.uint8, np.uint16):
            return picture.pixels.astype(np.uint16), 8 * picture.pixels.dtype.itemsize
        return to_uint16(as_grey(picture, self.wish.span or SPAN)), 16


def _runs(jobs: Mapping[str, Sequence[HistoryFile]], sample: int) -> Iterator[Sequence[HistoryFile]]:
    """The beginning of each job, and a run from its middle, so long that they make up the sample."""
    each = max(sample // (2 * len(jobs)), _RUN)
    for files in _spread(list(jobs.values()), sample, 2 * each):
        if len(files) <= 2 * each:
            yield files
            continue
        yield files[:each]
        middle = each + (len(files) - 2 * each) // 2
        yield files[middle : middle + each]


def _spread(jobs: Sequence[Sequence[HistoryFile]], sample: int, each: int) -> Iterator[Sequence[HistoryFile]]:
    """All jobs; of more than the sample needs some, evenly over the history."""
    wanted, count = set[int](), 0
    for number in sorted(range(len(jobs)), key=lambda k: k * _GOLDEN % 1):
        if count < sample:
            wanted.add(number)
            count += min(len(jobs[number]), each)
    return (jobs[number] for number in sorted(wanted))


def _rises(shots: Sequence[Shot]) -> bool:
    """Whether times, where there are some, rise with the layers: the clock of some cameras was never set and stands."""
    steps = [b.time - a.time for a, b in pairwise(shots) if b.layer > a.layer and np.isfinite(b.time - a.time)]
    return not steps or float(np.median(steps)) > 0
