"""A server of a recorded MJPEG stream: multipart/x-mixed-replace at the pace in which its frames were taken."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import numpy as np
from tests.images.streams import Printer

from layerwatch.images.archive import encode_png


@dataclass(frozen=True)
class Recorded:
    """One frame's file, when it was taken, and what is in it."""

    data: bytes
    time: float  # s
    layer: int
    best: bool
    carriage: bool


def recorded(printer: Printer, speed: float) -> list[Recorded]:
    """The frames of a virtual printer as PNG files, at so many times its pace."""
    return [
        Recorded(
            encode_png(np.rint(frame.pixels * 65535).astype(np.uint16)),
            frame.time / speed,
            frame.layer,
            bool(frame.best),
            bool(frame.carriage),
        )
        for frame in printer.frames()
    ]


@dataclass
class StreamServer:
    """Plays a recording once, from its first connection on; whoever connects later sees what is left."""

    frames: Sequence[Recorded]
    status: int = 200
    kind: str = "multipart/x-mixed-replace; boundary=frame"
    password: str = ""  # of Basic, encoded
    port: int = 0
    begun: float = 0.0  # s, monotonic
    calls: int = 0
    cut: Event = field(default_factory=Event)  # ends the connections that are open
    over: Event = field(default_factory=Event)

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        self.calls += 1
        is_known = not self.password or request.headers.get("Authorization") == f"Basic {self.password}"
        request.send_response(self.status if is_known else 401)
        request.send_header("Content-Type", self.kind)
        request.end_headers()
        if self.status != 200 or not is_known:
            return
        self.begun = self.begun or time.monotonic()
        self.cut.clear()
        for frame in self.frames:
            left = self.begun + frame.time - time.monotonic()
            if left < -0.2:
                continue  # nobody was there
            if self.over.wait(max(left, 0)) or self.cut.is_set():
                return
            head = f"--frame\r\nContent-Type: image/png\r\nContent-Length: {len(frame.data)}\r\n\r\n"
            request.wfile.write(head.encode() + frame.data + b"\r\n")
        self.over.wait(30)


@contextmanager
def streaming(server: StreamServer) -> Iterator[StreamServer]:
    """Serve while the block runs, at ``server.port``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                server.serve(self)
            except OSError:
                return  # the client has gone

        def log_message(self, *words: object) -> None:
            return

    ThreadingHTTPServer.allow_reuse_address = True
    with ThreadingHTTPServer(("127.0.0.1", server.port), Handler) as http:
        http.daemon_threads = True
        server.port = http.server_address[1]
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            http.shutdown()
            thread.join(10)
