"""Pieces of a multipart/x-mixed-replace body -> the bytes of its parts, the same however the body was cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message

from layerwatch.records import DataError

_MOST_HEAD = 8192  # bytes of a part's headers, and of what stands before the first part
_LONGEST_MARK = 128  # bytes of a boundary and what is around it
_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*([0-9]{1,12})[ \t]*$", re.IGNORECASE | re.MULTILINE)


def boundary_of(content_type: str) -> str:
    """What stands between two parts.

    Raises:
        DataError: the type is no multipart, or names no boundary that can be one.
    """
    told = Message()
    told["Content-Type"] = content_type
    boundary = told.get_param("boundary", "") if told.get_content_maintype() == "multipart" else ""
    if not isinstance(boundary, str) or not re.fullmatch(r"[\x20-\x7e]{0,99}[\x21-\x7e]", boundary):
        raise DataError(f"it gives {content_type[:80]!r}, no multipart/x-mixed-replace with a boundary")
    return boundary


@dataclass(eq=False)
class Parts:
    """Takes a body piece by piece; holds at most one part.

    A boundary that already begins with ``--`` is also found as it is, because many cameras name it so.
    """

    boundary: str
    most_bytes: int = 2**24  # of one part
    ended: bool = field(default=False, init=False)  # the last part has come
    _held: bytearray = field(default_factory=bytearray, init=False, repr=False)
    _mark: bytes = field(default=b"", init=False, repr=False)  # between two parts; empty: no part has come yet
    _length: int | None = field(default=None, init=False, repr=False)  # bytes, where a part says it
    _is_inside: bool = field(default=False, init=False, repr=False)
    _scanned: int = field(default=0, init=False, repr=False)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The parts that the piece completes; those that are whole come before what is wrong is said.

        Raises:
            DataError: the body breaks the rules, or a part is too large.
        """
        for first in range(0, len(piece), _MOST_HEAD):  # so that a large piece is not held twice
            self._held += piece[first : first + _MOST_HEAD]
            yield from self._complete()

    def _complete(self) -> Iterator[bytes]:
        while not self.ended:
            if not self._is_inside:
                if not (self._begun() and self._headed()):
                    return
                continue
            part = self._part()
            if part is None:
                return
            self._is_inside, self._scanned = False, 0
            yield part
        self._held.clear()

    def _begun(self) -> bool:
        """The mark before the first part is found; what stands before it is left aside."""
        if self._mark:
            return True
        own = self.boundary.encode()
        marks = {b"--" + own} | ({own} if own.startswith(b"--") else set())
        lines = re.compile(rb"(?:^|\r\n)(" + b"|".join(map(re.escape, sorted(marks, key=len))) + rb")(?=\r\n)")
        found = lines.search(self._held)
        if found is None or found.start(1) > _MOST_HEAD:
            if len(self._held) > _MOST_HEAD + _LONGEST_MARK:
                raise DataError(f"no part begins within {_MOST_HEAD:,} bytes")
            return False
        self._mark = found.group(1)
        del self._held[: found.start(1)]
        return True

    def _headed(self) -> bool:
        """The mark and the headers of the next part are here, and taken away."""
        held, size = self._held, len(self._mark)
        start = 2 if held[:2] == b"\r\n" else 0
        if len(held) < start + size + 2:
            return False
        if held[start : start + size] != self._mark:
            raise DataError("a part does not end where it says, or no boundary follows it")
        if held[start + size : start + size + 2] == b"--":
            self.ended = True
            return True
        if held[start + size : start + size + 2] != b"\r\n":
            raise DataError("something else than a line's end follows a boundary")
        end = held.find(b"\r\n\r\n", start + size, start + size + _MOST_HEAD)
        if end < 0:
            if len(held) >= start + size + _MOST_HEAD:
                raise DataError(f"the headers of a part are longer than {_MOST_HEAD:,} bytes")
            return False
        told = _LENGTH.search(bytes(held[start + size : end + 2]).replace(b"\r\n", b"\n"))
        self._length = int(told.group(1)) if told else None
        del held[: end + 4]
        self._is_inside = True
        self._check(self._length or 0)
        return True

    def _part(self) -> bytes | None:
        length = self._length
        if length is None:
            length = self._held.find(b"\r\n" + self._mark, self._scanned)
            if length < 0:
                self._scanned = max(len(self._held) - len(self._mark) - 1, 0)
                self._check(self._scanned)
                return None
            self._check(length)
        elif len(self._held) < length:
            return None
        part = bytes(self._held[:length])
        del self._held[:length]
        return part

    def _check(self, size: int) -> None:
        if size > self.most_bytes:
            raise DataError(f"a part has more than {self.most_bytes:,} bytes")
