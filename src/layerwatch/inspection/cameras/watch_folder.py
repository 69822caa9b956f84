"""A folder that the camera's machine writes to -> each complete file once, in natural order.

What the system tells of changes only makes it faster: a full scan now and then is the truth, because nothing is told of
files that another machine writes to a network folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from typing import ClassVar, Literal

from watchfiles import watch

from layerwatch.inspection.cameras.base import Camera, Delivery, Receipt
from layerwatch.inspection.file_identity import Claim, FileIdentity, natural
from layerwatch.inspection.first_bytes import usual_suffix
from layerwatch.inspection.folder_scan import LEFT_ALONE, FolderScan, State
from layerwatch.inspection.other_files import is_other
from layerwatch.records import plainly

_MOST_KNOWN = 10_000  # files remembered although they are gone: a folder that comes back has them again


@dataclass
class _Seen:
    """A file that is not yet complete, as it was last found."""

    state: State
    since: float  # s, monotonic


@dataclass(eq=False)
class WatchFolder(Camera):
    """Gives each file when its size and time stood still and it can be opened; a file that changes is given again."""

    summary: ClassVar[str] = "Files that appear in a folder, local or on a network drive"
    source: ClassVar[str] = "events of the system with a full scan now and then as the truth"

    printer: str
    path: Path
    pattern: str | None = None  # of the paths, for images.naming; None: sidecars, else the only number in the name
    job: str = ""  # default: the name of the first sub-folder, else of the folder
    settle: float = 0.5  # s for which size and time must stand still
    rescan: float = 2.0  # s between two full scans
    done_suffix: str = ""  # such as ".done": a file counts as written once NAME.done or NAME.png.done is there
    after: Literal["keep", "delete", "move"] = "keep"  # with an acknowledged file; move: to the sub-folder "done"
    left_alone: tuple[str, ...] = LEFT_ALONE  # names that are no frames, beside hidden ones
    most_bytes: int = 2**28  # of one file; a larger one is given without its bytes
    _given: dict[Path, State] = field(default_factory=dict, init=False, repr=False)
    _seen: dict[Path, _Seen] = field(default_factory=dict, init=False, repr=False)
    _refused: dict[Path, float] = field(default_factory=dict, init=False, repr=False)  # s, when it may be tried again
    _remarks: list[str] = field(default_factory=list, init=False, repr=False)  # not yet told
    _troubles: dict[Path, str] = field(default_factory=dict, init=False, repr=False)  # of the folder or of a file

    @property
    def trouble(self) -> str:
        """Why the folder, or a file in it, cannot be read."""
        return "; ".join(list(self._troubles.copy().values())[:3])

    def remarks(self) -> tuple[str, ...]:
        """Files that are no frames; each is named once."""
        told, self._remarks = tuple(self._remarks), []
        return told

    def deliveries(self, stop: Event) -> Iterator[Delivery]:
        """Files as they become complete; waits for ever."""
        self._given.clear()  # a new run gives everything again
        last_scan = -float("inf")
        for changed in self._changes(stop):
            if time.monotonic() - last_scan >= self.rescan:
                self._look_at(self._scanned())
                last_scan = time.monotonic()
            else:
                self._look_at(self._scan.states(sorted(changed | self._seen.keys(), key=natural)))
            for path in self._complete():
                if stop.is_set():
                    return
                delivery = self._read(path)
                if delivery is not None:
                    yield delivery

    @property
    def _root(self) -> Path:
        return Path(self.path).absolute()

    @property
    def _scan(self) -> FolderScan:
        marks = (f"*{self.done_suffix}",) if self.done_suffix else ()
        return FolderScan(self._root, (*self.left_alone, *marks), "done" if self.after == "move" else "")

    def _changes(self, stop: Event) -> Iterator[set[Path]]:
        """What the system tells has changed, at least once in a while; ends with ``stop``."""
        tick = max(min(self.settle, self.rescan) / 2, 0.02)
        while not stop.is_set():
            yield set()
            try:
                told = watch(
                    self._root,
                    watch_filter=None,
                    debounce=200,
                    step=20,
                    stop_event=stop,
                    rust_timeout=round(tick * 1000),
                    yield_on_timeout=True,
                    raise_interrupt=False,
                )
                inode = self._root.stat().st_ino
                for changes in told:
                    yield {Path(path) for _, path in changes}
                    if stop.is_set() or self._root.stat().st_ino != inode:
                        break  # another folder is there now
            except (OSError, RuntimeError):
                stop.wait(tick)  # no folder, or no more watches: the scans go on

    def _scanned(self) -> dict[Path, State]:
        try:
            found = self._scan.all()
        except OSError as error:
            self._troubles[self._root] = f"the folder {self._root} is away ({error.strerror or error})"
            return {}
        self._troubles = {p: t for p, t in self._troubles.copy().items() if p in found and p != self._root}
        if len(self._given) > 2 * len(found) + _MOST_KNOWN:
            self._given = {path: state for path, state in self._given.copy().items() if path in found}
        self._seen = {path: seen for path, seen in self._seen.items() if path in found}
        return found

    def _look_at(self, found: dict[Path, State]) -> None:
        now = time.monotonic()
        for path, state in found.items():
            seen = self._seen.get(path)
            if self._given.get(path) != state and (seen is None or seen.state != state):
                self._seen[path] = _Seen(state, now)

    def _complete(self) -> list[Path]:
        now = time.monotonic()
        ready = [p for p, s in self._seen.items() if now - s.since >= self.settle and self._refused.get(p, 0.0) <= now]
        return sorted((path for path in ready if self._is_done(path)), key=natural)

    def _is_done(self, path: Path) -> bool:
        return not self.done_suffix or any(mark.exists() for mark in _beside(path, self.done_suffix))

    def _read(self, path: Path) -> Delivery | None:
        """The file, if it is as it was last seen."""
        seen = self._seen.pop(path)
        try:
            with path.open("rb") as file:
                data = file.read(min(seen.state.size, self.most_bytes) + 1)
                state = State.of(os.fstat(file.fileno()))
        except FileNotFoundError:
            return None
        except OSError as error:
            self._troubles[path] = f"{path.name}: {plainly(error)}"
            return None  # seen anew by the next scan
        self._troubles.pop(path, None)
        if state != seen.state:
            self._seen[path] = _Seen(state, time.monotonic())
            return None
        self._given[path] = state
        self._refused.pop(path, None)
        claim = FileIdentity(self.printer, self._root, self.pattern, self.job).claim(path)
        if is_other(path.suffix, data, is_named=not claim.unidentified):
            self._remarks.append(f"{path.relative_to(self._root)} is no frame and is left alone")
            return None
        return self._delivery(path, state, data, claim)

    def _delivery(self, path: Path, state: State, data: bytes, claim: Claim) -> Delivery:
        unidentified, suffix = claim.unidentified, usual_suffix(path.suffix, data)
        if len(data) > self.most_bytes:
            unidentified, data = f"{path.name} has {state.size:,} bytes, more than {self.most_bytes:,}", b""
        return Delivery(
            identity=claim.identity,
            data=data,
            suffix=suffix,
            name=str(path.relative_to(self._root)),
            exposed=claim.exposed,
            unidentified=unidentified,
            acknowledge=partial(self._acknowledge, path, state),
            refuse=partial(self._refuse, path),
        )

    def _acknowledge(self, path: Path, state: State, receipt: Receipt) -> None:
        """Put the file away, unless it has changed since; what is beside it goes with it."""
        if self.after == "keep":
            return
        try:
            if State.of(path.lstat()) != state:
                return
            for one in (path, *_companions(path, self.done_suffix)):
                if self.after == "delete":
                    one.unlink(missing_ok=True)
                else:
                    _move(one, self._root, self._root / "done")
        except FileNotFoundError:
            return
        except OSError as error:
            self._troubles[path] = f"{path.name} cannot be put away ({plainly(error)})"

    def _refuse(self, path: Path, reason: str) -> None:
        """Give it again, but not at once."""
        self._refused[path] = time.monotonic() + self.rescan
        self._given.pop(path, None)


def _beside(path: Path, suffix: str) -> tuple[Path, Path]:
    return path.with_name(path.name + suffix), path.with_suffix(suffix)


def _companions(path: Path, done_suffix: str) -> list[Path]:
    """Sidecar and mark of this frame only."""
    suffixes = {".json", done_suffix} - {""}
    return [mark for suffix in suffixes for mark in _beside(path, suffix) if mark.is_file() and mark != path]


def _move(path: Path, root: Path, done: Path) -> None:
    """To the same place below ``done``; nothing that lies there is overwritten."""
    target = done / path.relative_to(root)
    target.parent.mkdir(parents=True, exist_ok=True)
    number = 0
    while target.exists():
        number += 1
        target = (done / path.relative_to(root)).with_name(f"{path.stem}.{number}{path.suffix}")
    path.rename(target)
