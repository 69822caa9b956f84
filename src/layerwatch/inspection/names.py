"""A name from outside -> a name of a folder or an MQTT level that leads nowhere else, the same for the same name."""

from __future__ import annotations

import re
from hashlib import sha256

_LONGEST = 120  # bytes; file systems take 255
_OTHER = re.compile(rb"[^A-Za-z0-9_.-]")


def safe(name: str) -> str:
    """What is not in ``A-Za-z0-9_.-`` as ``%XX`` of its UTF-8; no name is ``-``; a long one ends in its SHA-256."""
    data = name.encode("utf-8", "surrogatepass")
    told = _OTHER.sub(lambda found: b"%%%02X" % found.group()[0], data).decode("ascii")
    if told in {"-", ".", ".."}:
        return "".join(f"%{ord(letter):02X}" for letter in told)
    if len(told) > _LONGEST:
        return f"{told[: _LONGEST - 33]}-{sha256(data).hexdigest()[:32]}"
    return told or "-"
