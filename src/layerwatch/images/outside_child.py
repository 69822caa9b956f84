"""Questions on standard input -> pictures on standard output: the child of ``outside``, under limits of its own."""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from layerwatch.images.folder import claimants, read_pictures
from layerwatch.images.optional import optional
from layerwatch.records import DataError, Picture, UsageError

_HEAD = 4  # bytes of a message's length
_FILES = 32  # open at once
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def main(memory: int) -> None:
    """Serve until the other side closes; nothing that a library prints gets between the answers."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    os.dup2(1, 0)
    claimants()
    _warm()
    _limit(memory)
    _answer(answers, {"ready": True})
    while head := questions.read(_HEAD):
        question = json.loads(questions.read(int.from_bytes(head, "little")))
        if not _serve(question, answers):
            return


def _serve(question: dict[str, Any], answers: BinaryIO) -> bool:
    """Answer one question; False where this process had better end."""
    _allow_seconds(float(question["seconds"]))
    before = _forget_peak()
    try:
        pictures = read_pictures(Path(question["path"]), question["name"], question["page"])
    except (DataError, UsageError) as error:
        _answer(answers, {"refused": str(error), "kind": type(error).__name__, "grown": _peak() - before})
        return True
    except MemoryError:
        text = f"{question['name']}: needs more memory than a file from outside may have; shrink it"
        _answer(answers, {"refused": text, "kind": "DataError", "last": True, "grown": _peak() - before})
        return False
    except Exception as error:  # a decoder that fails in a way nobody thought of has met no image
        text = f"{question['name']}: broken ({type(error).__name__}: {error}); copy or export it again"
        _answer(answers, {"refused": text, "kind": "DataError", "grown": _peak() - before})
        return True
    _answer(answers, {"pictures": [_described(one) for one in pictures], "grown": _peak() - before})
    for one in pictures:
        answers.write(np.ascontiguousarray(one.pixels).data.cast("B"))
    answers.flush()
    return True


def _described(picture: Picture) -> dict[str, Any]:
    return {
        "shape": picture.pixels.shape,
        "dtype": picture.pixels.dtype.name,
        "unit": picture.unit,
        "time": picture.time.isoformat() if picture.time else "",
        "tags": dict(picture.tags),
        "page": picture.page,
        "pages": picture.pages,
        "name": picture.name,
    }


def _answer(answers: BinaryIO, content: dict[str, Any]) -> None:
    data = json.dumps(content).encode()
    answers.write(len(data).to_bytes(_HEAD, "little") + data)
    answers.flush()


def _warm() -> None:
    """Import what readers import late, so that it counts as ours and not as a file's memory."""
    with suppress(UsageError):
        optional("h5py", "peregrine", "reading")
    from PIL import Image

    Image.init()


def _limit(memory: int) -> None:
    """So much memory beyond what there is now, no file to be written, none left behind by a crash."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    with suppress(OSError, ValueError):
        most = _told("VmSize") + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _allow_seconds(seconds: float) -> None:
    """Of processor time for the next file, for the case that nobody is left to end this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


def _forget_peak() -> int:
    """Begin to measure anew; returns the memory of now, bytes."""
    with suppress(OSError):
        _CLEAR.write_text("5")
    return _told("VmRSS")


def _peak() -> int:
    """Most memory since then, bytes."""
    return _told("VmHWM")


def _told(what: str) -> int:
    """A figure of this process by the system, bytes; 0 where the system does not tell."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{what}:")), 0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
