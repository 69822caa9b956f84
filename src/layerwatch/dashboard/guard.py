"""A request -> who makes it and whether he may: least roles by route, sessions, CSRF, the host's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from secrets import compare_digest

from fastapi import HTTPException, Request

from layerwatch.dashboard.desk import Desk
from layerwatch.dashboard.users import Role, is_local, may

COOKIE = "layerwatch"
HEADER = "X-CSRF-Token"
OPEN = ""  # no role is needed

LEAST: Mapping[tuple[str, str], str] = {
    ("GET", "/api/me"): OPEN,
    ("POST", "/api/login"): OPEN,
    ("POST", "/api/logout"): OPEN,
    ("GET", "/api/fleet"): "viewer",
    ("GET", "/api/jobs"): "viewer",
    ("GET", "/api/job"): "viewer",
    ("GET", "/api/picture"): "viewer",
    ("GET", "/api/scale"): "viewer",
    ("GET", "/api/alarms"): "viewer",
    ("POST", "/api/alarms/act"): "operator",
    ("GET", "/api/feedback"): "viewer",
    ("POST", "/api/feedback"): "operator",
    ("GET", "/api/models"): "viewer",
    ("POST", "/api/models/change"): "engineer",
    ("GET", "/api/why"): "viewer",
    ("GET", "/api/part"): "viewer",
    ("GET", "/api/report"): "viewer",
    ("GET", "/api/audit"): "viewer",
    ("GET", "/api/events"): "viewer",
    ("GET", "/openapi.json"): "viewer",
}  # method and path -> least role; what is not here is refused


@dataclass(frozen=True)
class Who:
    """Somebody who asks."""

    name: str  # "": not logged in
    role: Role | None
    csrf: str


def desk_of(request: Request) -> Desk:
    """The desk that the application was made with."""
    desk: Desk = request.app.state.desk
    return desk


def who_asks(request: Request) -> Who:
    """By the cookie, or the admin ``local`` where nobody must log in."""
    users = desk_of(request).users
    if not users.needs_login:
        return Who("local", "admin", users.open_csrf)
    session = users.session(request.cookies.get(COOKIE, ""))
    if session is None:
        return Who("", None, users.open_csrf)
    return Who(session.name, users.role(session), session.csrf)


def check(request: Request) -> None:
    """Let a request through, or not.

    Raises:
        HTTPException: 401 nobody is logged in, 403 the role or the CSRF token is not enough, or the name of the host
            is none of this machine (another page has been given this machine's address).
    """
    users = desk_of(request).users
    if is_local(users.host) and not is_local(_host(request)):
        raise HTTPException(403, "this page is served on this machine only; open it by http://127.0.0.1")
    route = request.scope.get("route")
    least = LEAST.get((request.method, str(getattr(route, "path", ""))))
    if least is None:
        raise HTTPException(403, "nobody may do this")
    who = who_asks(request)
    if request.method != "GET" and not compare_digest(request.headers.get(HEADER, "").encode(), who.csrf.encode()):
        raise HTTPException(403, f"no valid {HEADER}; reload the page")
    if least == OPEN:
        return
    if who.role is None:
        raise HTTPException(401, "log in first")
    if not may(who.role, least):
        raise HTTPException(403, f"{who.name} is {who.role}; this needs the role {least}")


def _host(request: Request) -> str:
    """The name in the Host header, without the port."""
    told = request.headers.get("host", "")
    return told.rpartition("]")[0] + "]" if told.startswith("[") else told.partition(":")[0]
