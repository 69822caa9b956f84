"""The path of a file from outside -> its pictures, decoded in a child process with limits on memory and time.

One child lives long and serves many files, so a frame costs little more than its decoding. A child that hangs, crashes
or runs out of memory is ended and the next file gets a new one. Needs a system with ``select`` on pipes (Linux, macOS);
the limit on memory holds on Linux.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from layerwatch.images.decoding.limits import MAX_PIXELS
from layerwatch.records import DataError, Picture, UsageError

_HEAD = 4  # bytes of a message's length
_MAX_ANSWER = 2**26  # bytes of text
_TYPES = {"uint8", "uint16", "float32"}
_START = 60.0  # s that a child may take to begin, on a busy machine
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # each thread of a library claims memory


@dataclass(eq=False)
class ReadingChild:
    """Reads files in a process of its own; ``read`` may be handed to ``read_folder`` and ``read_image``."""

    seconds: float = 10.0  # that one file may take
    memory: int = 2**30  # bytes beyond what an idle child has
    grown: int = 0  # bytes by which the child's memory rose for the last file
    _process: subprocess.Popen[bytes] | None = None
    _owner: int = 0  # process that started it; after a fork the other one needs a child of its own
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, path: Path, name: str = "", page: int | None = None) -> tuple[Picture, ...]:
        """As ``read_pictures`` of images.folder, in the child.

        Raises:
            DataError: as there; also where the file takes too long, too much memory, or crashes its decoder.
            UsageError: a package that this kind of file needs is not installed.
        """
        name = name or str(path)
        with self._lock:
            try:
                return self._ask(path, name, page)
            except TimeoutError:
                self._end()
                raise DataError(
                    f"{name}: not decoded within {self.seconds:g} s, so it was given up; copy or export it again"
                ) from None
            except EOFError:
                code = self._end()
                raise DataError(
                    f"{name}: its decoder broke down ({_cause(code)}); the file is harmful or broken, export it again"
                ) from None

    def close(self) -> None:
        """End the child; the next file would start a new one."""
        with self._lock:
            self._end()

    def __enter__(self) -> ReadingChild:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def number(self) -> int | None:
        """Of the running process."""
        return None if self._process is None else self._process.pid

    def _ask(self, path: Path, name: str, page: int | None) -> tuple[Picture, ...]:
        process = self._started()
        question = {"path": str(path.absolute()), "name": name, "page": page, "seconds": self.seconds}
        until = time.monotonic() + self.seconds
        _send(process, question)
        answer = _receive_text(process, until)
        self.grown = int(answer.get("grown", 0))
        if "refused" in answer:
            if answer.get("last"):
                self._end()
            raise (UsageError if answer["kind"] == "UsageError" else DataError)(answer["refused"])
        return tuple(_receive_picture(process, told, until) for told in answer["pictures"])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return self._process
        self._end()
        self._owner = os.getpid()
        code = [sys.executable, "-m", "layerwatch.images.outside_child", str(self.memory)]
        self._process = subprocess.Popen(  # noqa: S603 # our own module
            code,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        _widen(self._process)
        _receive_text(self._process, time.monotonic() + _START)
        return self._process

    def _end(self) -> int:
        """Kill the child; returns its exit code, 0 if there was none."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return 0
        with suppress(subprocess.TimeoutExpired):  # a child that breaks down says how, if it is given the time
            process.wait(0.05 if process.poll() is None else None)
        process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        return code


@cache
def shared_child() -> ReadingChild:
    """The one child of this process; it ends with it."""
    child = ReadingChild()
    atexit.register(child.close)
    return child


def _cause(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _widen(process: subprocess.Popen[bytes]) -> None:
    """Let a whole frame fit into the pipe, where the system can do that."""
    with suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(_pipe(process.stdout), fcntl.F_SETPIPE_SZ, 2**20)


def _pipe(pipe: Any) -> int:
    if pipe is None or pipe.closed:
        raise EOFError
    return int(pipe.fileno())


def _send(process: subprocess.Popen[bytes], question: dict[str, Any]) -> None:
    data = json.dumps(question).encode()
    try:
        os.write(_pipe(process.stdin), len(data).to_bytes(_HEAD, "little") + data)
    except OSError:
        raise EOFError from None


def _receive_text(process: subprocess.Popen[bytes], until: float) -> dict[str, Any]:
    length = int.from_bytes(_receive(process, _HEAD, until), "little")
    if length > _MAX_ANSWER:
        raise EOFError
    try:
        found = json.loads(_receive(process, length, until))
    except ValueError:
        raise EOFError from None
    return found if isinstance(found, dict) else {}


def _receive_picture(process: subprocess.Popen[bytes], told: dict[str, Any], until: float) -> Picture:
    """One picture; what the child says of it is looked at before it is believed."""
    shape, dtype = tuple(map(int, told["shape"])), str(told["dtype"])
    if len(shape) != 2 or dtype not in _TYPES or not 0 < prod(shape) <= MAX_PIXELS or min(shape) < 1:
        raise EOFError
    data = _receive(process, prod(shape) * np.dtype(dtype).itemsize, until)
    moment = datetime.fromisoformat(told["time"]) if told["time"] else None
    tags = {str(key): str(text) for key, text in told["tags"].items()}
    pixels = np.frombuffer(data, dtype).reshape(shape)
    return Picture(pixels, told["unit"], moment, tags, int(told["page"]), int(told["pages"]), str(told["name"]))


def _receive(process: subprocess.Popen[bytes], size: int, until: float) -> bytearray:
    """Exactly so many bytes.

    Raises:
        TimeoutError: they did not come in time.
        EOFError: the child has ended.
    """
    pipe, data = _pipe(process.stdout), bytearray(size)
    view = memoryview(data)
    while view.nbytes:
        left = until - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise TimeoutError
        count = os.readv(pipe, [view])
        if not count:
            raise EOFError
        view = view[count:]
    return data
