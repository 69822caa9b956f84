"""A port that somebody gives -> the same, or a refusal that names the key."""

from __future__ import annotations

from layerwatch.records import UsageError

MOST = 65535


def check_port(port: int, *, listens: bool = False) -> None:
    """Refuse what is no port.

    Args:
        port: to connect to, or to listen on.
        listens: 0 will do as well, for one that is free.

    Raises:
        UsageError: it is none; the message names the key ``port``.
    """
    least = 0 if listens else 1
    if not least <= port <= MOST:
        free = ", or 0 for one that is free" if listens else ""
        raise UsageError(f"port = {port}; give a number between 1 and {MOST}{free}")
