"""PUT requests of a camera's machine -> frames; each request is answered when the frame is safe, not before."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, Queue
from threading import Event
from typing import ClassVar

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from layerwatch.inspection.cameras.base import Camera, Delivery, Receipt
from layerwatch.inspection.deliveries import Identity
from layerwatch.inspection.file_identity import addressed
from layerwatch.inspection.first_bytes import usual_suffix
from layerwatch.inspection.listening import Listener, bare_application, has_token, served
from layerwatch.inspection.ports import check_port
from layerwatch.records import DataError

_AT_ONCE = 8  # bodies held in memory; further requests wait their turn
_SLOWEST = 60.0  # s for one body to come in
_MOST_KEYS = 10_000
_SUFFIXES = {"image/png": ".png", "image/tiff": ".tiff", "image/jpeg": ".jpg", "application/x-npy": ".npy"}
_STATUS = {"new": 201, "late": 201, "duplicate": 200, "conflict": 409}


class _TooLargeError(Exception):
    """More bytes than are taken."""


class _KeyReusedError(Exception):
    """An Idempotency-Key came with another frame before."""


@dataclass(frozen=True)
class _Answer:
    """What the sender is told."""

    status: int
    content: dict[str, object]
    retry_after: int = 0  # s; 0: not said

    def response(self) -> Response:
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else None
        return JSONResponse(self.content, self.status, headers)


_STOPPING = _Answer(503, {"error": "this service is stopping; send the frame again"}, 5)


@dataclass(eq=False)
class HttpPush(Camera):
    """Takes ``PUT /frames/{job}/{layer}`` with the file as the body."""

    summary: ClassVar[str] = "Frames that a machine sends by HTTP, answered when they are safe"
    source: ClassVar[str] = "HTTP PUT; Idempotency-Key of draft-ietf-httpapi-idempotency-key-header"

    printer: str
    host: str = "127.0.0.1"
    port: int = 8765  # 0: a free one, see bound_port
    token: str = field(default="", repr=False)  # sent as "Authorization: Bearer TOKEN"; empty: everybody may send
    most_bytes: int = 2**26  # of one file
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

    def deliveries(self, stop: Event) -> Iterator[Delivery]:
        """Frames in the order in which their bodies were complete; senders that wait at the end are told to come again.

        An address that is in use is waited for.
        """
        self._listener = listener = Listener(self.host, self.port)
        bound = listener.socket(stop)
        if bound is None:
            return
        desk = _Desk(self)
        with served(desk.application(), bound):
            try:
                while not stop.is_set():
                    try:
                        delivery = desk.queue.get(timeout=0.1)
                    except Empty:
                        continue
                    yield delivery
            finally:
                desk.close()


class _Desk:
    """Where requests wait for their answer."""

    def __init__(self, camera: HttpPush) -> None:
        self.camera = camera
        self.queue: Queue[Delivery] = Queue()
        self._is_closed = False
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._keys: OrderedDict[str, str] = OrderedDict()  # Idempotency-Key -> hash of the frame it came with
        self._waiting: dict[asyncio.Future[_Answer], asyncio.AbstractEventLoop] = {}

    def application(self) -> FastAPI:
        application = bare_application()
        application.add_api_route("/frames/{job}/{layer}", self.put, methods=["PUT"], response_model=None)
        return application

    async def put(
        self,
        request: Request,
        job: str,
        layer: str,
        phase: str = "",
        shot: str = "",
        exposed: float | None = None,
        suffix: str = "",
    ) -> Response:
        """One frame; the connection waits until it is safe."""
        if not has_token(request.headers.get("authorization", ""), self.camera.token):
            return _error(401, "wrong or no token; send Authorization: Bearer TOKEN")
        try:
            identity = addressed(self.camera.printer, job, layer, phase, shot)
            if exposed is not None and not math.isfinite(exposed):
                raise DataError(f"exposed is {exposed}; give seconds since 1970")
        except DataError as error:
            return _error(422, str(error))
        told = suffix or _SUFFIXES.get(request.headers.get("content-type", "").partition(";")[0].strip().lower(), "")
        async with self._places:
            return (await self._taken(request, identity, told, exposed)).response()

    async def _taken(self, request: Request, identity: Identity, suffix: str, exposed: float | None) -> _Answer:
        try:
            async with asyncio.timeout(_SLOWEST):
                data = await _body(request, self.camera.most_bytes)
            self._check_key(request.headers.get("idempotency-key", ""), identity, data)
        except _TooLargeError:
            return _Answer(413, {"error": f"more than {self.camera.most_bytes:,} bytes"})
        except TimeoutError:
            return _Answer(408, {"error": f"the file was not here after {_SLOWEST:g} s"})
        except _KeyReusedError:
            return _Answer(422, {"error": "this Idempotency-Key came with another frame before; use a new one"})
        if not data:
            return _Answer(422, {"error": "an empty body; send the bytes of the frame's file"})
        if self._is_closed:
            return _STOPPING
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Answer] = loop.create_future()
        self._waiting[answer] = loop
        self.queue.put(self._delivery(identity, data, suffix, exposed, answer))
        try:
            return await answer
        finally:
            self._waiting.pop(answer, None)

    def close(self) -> None:
        """Nobody is left to take frames: whoever waits is told to come again."""
        self._is_closed = True
        for answer in list(self._waiting):
            self._tell(answer, _STOPPING)

    def _delivery(
        self, identity: Identity, data: bytes, suffix: str, exposed: float | None, answer: asyncio.Future[_Answer]
    ) -> Delivery:
        return Delivery(
            identity=identity,
            data=data,
            suffix=usual_suffix(suffix, data),
            name=f"frames/{identity.job}/{identity.layer}",
            exposed=exposed,
            unidentified="" if data else "the request had no file in it",
            acknowledge=lambda receipt: self._tell(answer, _of_receipt(receipt)),
            refuse=lambda reason: self._tell(answer, _Answer(507, {"error": f"not kept: {reason}"}, 5)),
        )

    def _tell(self, answer: asyncio.Future[_Answer], word: _Answer) -> None:
        loop = self._waiting.get(answer)
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(partial(_settle, answer, word))

    def _check_key(self, key: str, identity: Identity, data: bytes) -> None:
        if not key:
            return
        print_ = hashlib.sha256(repr(identity).encode() + data).hexdigest()
        if self._keys.setdefault(key[:200], print_) != print_:
            raise _KeyReusedError
        while len(self._keys) > _MOST_KEYS:
            self._keys.popitem(last=False)


def _settle(answer: asyncio.Future[_Answer], word: _Answer) -> None:
    """In the loop's own thread; the sender may have gone."""
    if not answer.done():
        answer.set_result(word)


def _of_receipt(receipt: Receipt) -> _Answer:
    return _Answer(_STATUS[receipt.word], {"word": receipt.word, "frame": receipt.frame, "sha256": receipt.sha256})


def _error(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status)


async def _body(request: Request, most: int) -> bytes:
    """The request's body, which is not read further than it may be long."""
    told = request.headers.get("content-length", "0")
    if told.isdigit() and int(told) > most:
        raise _TooLargeError
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > most:
            raise _TooLargeError
    return bytes(data)
