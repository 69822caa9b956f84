"""Messages -> numbers at ``/metrics`` for Prometheus: layers, alarms, seconds of each stage."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import ClassVar
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from layerwatch.inspection.messages import Kind, Message
from layerwatch.inspection.ports import check_port
from layerwatch.inspection.sinks.base import Sink
from layerwatch.records import UsageError

OPENS, CLOSES = frozenset({"raised", "grown", "worse", "reopened"}), frozenset({"cleared"})
_BUCKETS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # s


@dataclass
class Prometheus(Sink):
    """Counts since its start; a message that comes again is not counted again."""

    summary: ClassVar[str] = "numbers of layers, alarms and seconds at /metrics"
    source: ClassVar[str] = "https://prometheus.io/docs/instrumenting/exposition_formats/"

    host: str = "127.0.0.1"
    port: int = 9464  # 0: any free one, see bound_port
    kinds: tuple[Kind, ...] = ("verdict", "alarm")
    _pages: _Pages | None = field(default=None, init=False, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_port(self.port, listens=True)

    @property
    def wants(self) -> tuple[Kind, ...]:
        """See Sink."""
        return self.kinds

    @property
    def bound_port(self) -> int:
        """Where it listens; it starts to, if it does not yet."""
        return int(self._opened().server.server_address[1])

    def take(self, message: Message) -> None:
        """See Sink."""
        pages = self._opened()
        with self._lock:
            pages.numbers.count(message)

    def close(self) -> None:
        """Stop listening; what was counted is forgotten."""
        with self._lock:
            pages, self._pages = self._pages, None
        if pages is not None:
            pages.server.shutdown()
            pages.server.server_close()
            pages.thread.join()

    def _opened(self) -> _Pages:
        with self._lock:
            if self._pages is None:
                numbers = _Numbers(CollectorRegistry())
                try:
                    server, thread = start_http_server(self.port, self.host, numbers.registry)
                except OSError as error:
                    told = f"cannot listen at {self.host}:{self.port}: {error.strerror}; give another port, or 0"
                    raise UsageError(told) from None
                self._pages = _Pages(numbers, server, thread)
            return self._pages


class _Numbers:
    """What is counted."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry, self.last = registry, 0
        self.open: dict[tuple[str, str, str], str] = {}  # printer, job, alarm: level
        self.layers = Counter("layerwatch_layers", "Layers by verdict.", ("printer", "word"), registry=registry)
        labels = ("printer", "level", "cause")
        self.raised = Counter("layerwatch_alarms_raised", "Alarms raised.", labels, registry=registry)
        self.now_open = Gauge("layerwatch_alarms_open", "Alarms not cleared.", labels[:2], registry=registry)
        told = "Seconds that a stage took for one layer."
        self.seconds = Histogram(
            "layerwatch_stage_seconds", told, ("printer", "stage"), buckets=_BUCKETS, registry=registry
        )
        told = "Time of the last verdict, s since 1970."
        self.verdict = Gauge("layerwatch_last_verdict_time_seconds", told, labels[:1], registry=registry)

    def count(self, message: Message) -> None:
        """Count a message, unless its number was counted; numbers rise."""
        if message.number and message.number <= self.last:
            return
        if message.kind == "verdict":
            self._layer(message)
        elif message.kind == "alarm":
            self._alarm(message)
        self.last = max(self.last, message.number)

    def _layer(self, message: Message) -> None:
        self.layers.labels(message.printer, str(message.body.get("word", ""))).inc()
        self.verdict.labels(message.printer).set(message.time or time.time())
        for stage, seconds in (message.body.get("seconds") or {}).items():
            if seconds is not None:
                self.seconds.labels(message.printer, str(stage)).observe(float(seconds))

    def _alarm(self, message: Message) -> None:
        event, level, cause = (str(message.body.get(key, "")) for key in ("event", "level", "cause"))
        key = message.printer, message.job, str(message.body.get("alarm", ""))
        if event == "raised":
            self.raised.labels(message.printer, level, cause).inc()
        if key in self.open and event in OPENS | CLOSES:
            self.now_open.labels(message.printer, self.open.pop(key)).dec()
        if event in OPENS:
            self.open[key] = level
            self.now_open.labels(message.printer, level).inc()


@dataclass(frozen=True)
class _Pages:
    """The numbers and the server that shows them."""

    numbers: _Numbers
    server: WSGIServer
    thread: Thread
