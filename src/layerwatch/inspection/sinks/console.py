"""A stream of text, one line a message, for people."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

from layerwatch.inspection.messages import Message, verdict_of
from layerwatch.inspection.sinks.base import Sink
from layerwatch.records import Region, Verdict


@runtime_checkable
class TextStream(Protocol):
    """Anything that takes text."""

    def write(self, text: str, /) -> int:
        """Pass text on."""


@dataclass(frozen=True)
class Console(Sink):
    """Writes to the terminal, or to any other text stream."""

    summary: ClassVar[str] = "one line a message on the terminal"
    source: ClassVar[str] = "standard output"

    stream: TextStream = field(default_factory=lambda: sys.stdout)

    def take(self, message: Message) -> None:
        """See Sink."""
        self.stream.write(told(message) + "\n")


def told(message: Message) -> str:
    """The message in words, one line."""
    if message.kind == "verdict":
        return line(verdict_of(message.body))
    body, who = message.body, message.printer or message.job
    if message.kind == "alarm":
        return f"{who} ALARM {body.get('event', '')} ({body.get('level', '')})  {body.get('text', '')}"
    return f"{who} {message.kind}  {body.get('text') or body.get('event') or ''}"


def line(verdict: Verdict) -> str:
    """The verdict in words: layer, OK / NOK / FAULT, score, p-value, the first three regions in mm."""
    start = f"{verdict.job} layer {verdict.layer:4d}  {verdict.word:5s}"
    if verdict.word == "FAULT":
        return f"{start}  {verdict.reason}"
    text = f"{start}  score {verdict.score:.4g} (threshold {verdict.threshold:.4g})  p {verdict.p_value:.3f}"
    text += f"  {verdict.reason}" if verdict.reason else ""
    places = "; ".join(_place(region) for region in verdict.regions[:3])
    more = len(verdict.regions) - 3
    return text + (f"  {places}" if places else "") + (f"; and {more} more" if more > 0 else "")


def _place(region: Region) -> str:
    where = f"part {region.part}" if region.part else "bed"
    return f"{where} x {region.x:.0f} y {region.y:.0f} mm, {region.extent:.0f} mm, {region.area:.0f} mm2"
