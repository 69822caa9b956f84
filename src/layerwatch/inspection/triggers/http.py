"""POST requests of the machine -> the layers that it begins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from threading import Event
from typing import ClassVar

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from layerwatch.inspection.file_identity import addressed
from layerwatch.inspection.listening import Listener, bare_application, has_token, served
from layerwatch.inspection.ports import check_port
from layerwatch.inspection.triggers.base import Started, Trigger
from layerwatch.records import DataError

_MOST_WAITING = 10_000


@dataclass(eq=False)
class Http(Trigger):
    """Takes ``POST /layers/{job}/{layer}`` without a body."""

    summary: ClassVar[str] = "The machine tells by HTTP which layer it begins"
    source: ClassVar[str] = "HTTP POST"

    printer: str
    host: str = "127.0.0.1"
    port: int = 8766  # 0: a free one, see bound_port
    token: str = field(default="", repr=False)  # sent as "Authorization: Bearer TOKEN"; empty: everybody may tell
    _listener: Listener | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        check_port(self.port, listens=True)

    @property
    def bound_port(self) -> int:
        """Where it listens; 0 before it does."""
        return self._listener.bound_port if self._listener else 0

    @property
    def trouble(self) -> str:
        """Why the address cannot be used."""
        return self._listener.trouble if self._listener else ""

    def layers(self, stop: Event) -> Iterator[Started]:
        """Layers as they are told."""
        self._listener = listener = Listener(self.host, self.port)
        told: Queue[Started] = Queue(_MOST_WAITING)
        bound = listener.socket(stop)
        if bound is None:
            return
        with served(self._application(told), bound):
            while not stop.is_set():
                try:
                    started = told.get(timeout=0.1)
                except Empty:
                    continue
                yield started

    def _application(self, told: Queue[Started]) -> FastAPI:
        application = bare_application()

        async def post(request: Request, job: str, layer: str) -> Response:
            return self._answer(told, request.headers.get("authorization", ""), job, layer)

        application.add_api_route("/layers/{job}/{layer}", post, methods=["POST"], response_model=None)
        return application

    def _answer(self, told: Queue[Started], authorization: str, job: str, layer: str) -> Response:
        if not has_token(authorization, self.token):
            return JSONResponse({"error": "wrong or no token; send Authorization: Bearer TOKEN"}, 401)
        try:
            told.put_nowait(Started(job, addressed(self.printer, job, layer).layer, time.time()))
        except DataError as error:
            return JSONResponse({"error": str(error)}, 422)
        except Full:
            return JSONResponse({"error": "too many layers wait; tell it again"}, 503, {"Retry-After": "5"})
        return Response(status_code=204)
