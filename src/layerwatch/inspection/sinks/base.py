"""Messages, one by one -> wherever people or machines read them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from layerwatch.inspection.messages import Kind, Message
from layerwatch.inspection.messages import verdict_message as verdict_message  # what sinks are tried with
from layerwatch.records import DataError

EVERYTHING: tuple[Kind, ...] = ("verdict", "alarm", "job", "printer", "audit")


class NotTakenError(DataError):
    """The other side did not take a message now; it is sent again later."""


class Sink(ABC):
    """Where messages go. Settings are dataclass fields; a site file gives them by name."""

    summary: ClassVar[str]
    source: ClassVar[str]

    @property
    def wants(self) -> tuple[Kind, ...]:
        """Kinds of messages that it takes."""
        return EVERYTHING

    @abstractmethod
    def take(self, message: Message) -> None:
        """Pass one message on; when this returns, the other side has it.

        The same message may come twice (the service was killed in between): its ``number`` tells.

        Raises:
            NotTakenError: the other side is away or refuses; the message comes again.
            UsageError: the sink cannot work as it is set up.
        """

    def close(self) -> None:  # noqa: B027 # most sinks have nothing to let go of
        """Let go of connections and files."""
