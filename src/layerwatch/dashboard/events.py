"""The journal's messages -> a stream of server-sent events that goes on after the last one a page has had."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import anyio
import anyio.to_thread

from layerwatch.dashboard.desk import Desk
from layerwatch.inspection.messages import Message
from layerwatch.inspection.spool import StorageError

LOOK = 0.25  # s between two looks at the journal
QUIET = 10.0  # s after which a line without meaning shows that the stream lives
_MOST = 500  # messages at once


async def stream(desk: Desk, after: int, *, quiet: float = QUIET) -> AsyncIterator[str]:
    """Every message after that number, in order and once, for as long as the service runs."""
    said = time.monotonic()
    yield "retry: 1000\n\n"
    while not desk.stop.is_set():
        try:
            told = await anyio.to_thread.run_sync(desk.journal.told, after, _MOST)
        except StorageError:
            told = ()
        for message in told:
            yield as_event(message)
            after, said = message.number, time.monotonic()
        if time.monotonic() - said > quiet:
            yield ": still here\n\n"
            said = time.monotonic()
        if len(told) < _MOST:
            await anyio.sleep(LOOK)


def as_event(message: Message) -> str:
    """One message; its JSON is one line."""
    return f"id: {message.number}\nevent: {message.kind}\ndata: {message.text()}\n\n"


def resumed(header: str) -> int | None:
    """The number in a ``Last-Event-ID`` header; None where there is none that could be one of ours."""
    return int(header) if header.isascii() and header.isdigit() and len(header) < 16 else None
