"""A web application and an address -> the application served in a thread of its own, for as long as a block runs."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hmac import compare_digest
from threading import Event, Thread

import uvicorn
from fastapi import FastAPI

_AGAIN = 1.0  # s until an address that is in use is tried again


def bare_application() -> FastAPI:
    """An application without pages of its own: those of FastAPI ask other machines for scripts."""
    return FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


def has_token(header: str, token: str) -> bool:
    """Whether a request's ``Authorization`` header carries the token; without a token everybody may."""
    return not token or compare_digest(header.encode(), f"Bearer {token}".encode())


@dataclass
class Listener:
    """Where an application can be reached, and why it cannot."""

    host: str
    port: int  # 0: a free one
    bound_port: int = field(default=0, init=False)
    trouble: str = field(default="", init=False)

    def socket(self, stop: Event) -> socket.socket | None:
        """A bound socket, waiting until the address is free; None where ``stop`` came first."""
        while not stop.is_set():
            try:
                bound = _bound(self.host, self.port)
            except OSError as error:
                self.trouble = f"cannot listen on {self.host}:{self.port} ({error.strerror or error})"
                stop.wait(_AGAIN)
                continue
            self.bound_port, self.trouble = bound.getsockname()[1], ""
            return bound
        return None


@contextmanager
def served(application: FastAPI, bound: socket.socket) -> Iterator[None]:
    """Serve while the block runs; requests that are being answered at its end get two seconds more."""
    config = uvicorn.Config(
        application,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=128,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    with closing(bound):
        thread = Thread(target=server.run, kwargs={"sockets": [bound]}, name="listening", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield
        finally:
            server.should_exit = True
            thread.join(5)


def _wait_until_started(server: uvicorn.Server, thread: Thread) -> None:
    while not server.started and thread.is_alive():
        time.sleep(0.01)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # said, so that answers go out undelayed
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(64)
    except OSError:
        bound.close()
        raise
    return bound
