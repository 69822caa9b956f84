"""A desk -> the web application of the dashboard: its interface, its page, its headers and its errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from layerwatch import __version__
from layerwatch.dashboard.desk import Desk, NotThereError
from layerwatch.dashboard.guard import check
from layerwatch.dashboard.routes import router
from layerwatch.dashboard.users import LockedError
from layerwatch.inspection.spool import StorageError
from layerwatch.records import DataError, UsageError

PAGE = Path(__file__).parent / "page"
MOST_BODY = 65536  # bytes
POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' blob: data:",
        "style-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ]
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotThereError, 404),
    (LockedError, 429),
    (StorageError, 503),
    (DataError, 409),
    (UsageError, 400),
)  # the first that fits


def create_app(desk: Desk, page: Path = PAGE) -> FastAPI:
    """The application.

    Args:
        desk: that it is served from.
        page: folder of the page's files; without it a plain text stands in its place.

    Raises:
        UsageError: others can reach the address, and there are no users.
        DataError: the file of users is broken.
    """
    desk.users.check_host()
    app = FastAPI(
        title="layerwatch",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(check)],
    )
    app.state.desk = desk
    app.include_router(router)
    for kind, _ in _STATUS:
        app.add_exception_handler(kind, _refused)
    app.add_exception_handler(HTTPException, _refused_http)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(Exception, _failed)
    if page.is_dir():
        app.mount("/", StaticFiles(directory=page, html=True))
    else:
        app.mount("/", PlainTextResponse("layerwatch: the page is not installed; the interface is at /openapi.json\n"))
    app.add_middleware(_Wrapped)
    return app


class _Wrapped:
    """Adds the headers that every answer has, and refuses bodies that are too long before they are read."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                more = {**HEADERS, "cache-control": "no-store" if scope["path"].startswith("/api") else "no-cache"}
                told = [(name.encode(), value.encode()) for name, value in more.items()]
                message["headers"] = [*message["headers"], *(one for one in told if one[0] not in known)]
            await send(message)

        refusal = _too_long(scope)
        await (self.app if refusal is None else refusal)(scope, receive, send_with_headers)


def _too_long(scope: Scope) -> Response | None:
    if scope["method"] in {"GET", "HEAD"}:
        return None
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0" if b"transfer-encoding" not in headers else b"")
    if not length.isdigit():
        return _told(411, "say how long the body is")
    return _told(413, f"more than {MOST_BODY:,} bytes") if int(length) > MOST_BODY else None


def _told(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": text}, status, None if headers is None else dict(headers))


async def _refused(request: Request, error: Exception) -> Response:
    status = next(code for kind, code in _STATUS if isinstance(error, kind))
    return _told(status, str(error), {"Retry-After": "60"} if status == 429 else None)


async def _refused_http(request: Request, error: Any) -> Response:
    return _told(error.status_code, str(error.detail), error.headers)


async def _malformed(request: Request, error: Any) -> Response:
    told = [f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()[:3]]
    return _told(422, "; ".join(told))


async def _failed(request: Request, error: Exception) -> Response:
    return _told(500, "the service failed to answer; its log says why")
