"""A file of users with hashed passwords -> who is who, with sessions in memory and a lock after wrong passwords."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from threading import Lock
from typing import Any, Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from layerwatch.records import DataError, UsageError

Role = Literal["viewer", "operator", "engineer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each may do all that those before it may
FILE = "users.json"
_FORMAT = "layerwatch users 1"
_SHORTEST = 8  # letters of a password
_MOST_WRONG, _WINDOW = 5, 60.0  # wrong passwords, in so many s
_LASTS = 12 * 3600.0  # s that a session lives
_MOST_SESSIONS = 1000
_HASHER = PasswordHasher()


class LockedError(Exception):
    """Too many wrong passwords; the text says when to come again."""


@dataclass(frozen=True)
class User:
    """Somebody with a name, a role and the hash of a password."""

    name: str
    role: Role
    hash: str = field(repr=False)


@dataclass(frozen=True)
class Session:
    """Somebody who is logged in."""

    name: str
    csrf: str = field(repr=False)
    until: float  # s, of the users' clock


def is_local(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class UserFile:
    """``users.json`` in a data folder."""

    folder: Path

    @property
    def path(self) -> Path:
        """Of the file."""
        return self.folder / FILE

    def read(self) -> dict[str, User]:
        """Users by name; none where there is no file.

        Raises:
            DataError: the file is broken: nobody gets in until it is mended.
        """
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            found = [User(str(one["name"]), _role(str(one["role"])), str(one["hash"])) for one in told["users"]]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, UsageError):
            text = "no list of users; restore it, or remove it and add the users again"
            raise DataError(f"{self.path}: {text}") from None
        return {one.name: one for one in found}

    def add(self, name: str, role: str, password: str) -> None:
        """Add somebody, or give a new role and password to a user of that name.

        Raises:
            UsageError: no name or role, or a password that is too short.
            DataError: the file is broken or cannot be written.
        """
        if not name.strip() or name != name.strip() or len(name) > 100 or not name.isprintable():
            raise UsageError(f"{name!r} is no user's name; give 1 to 100 letters without spaces around them")
        if len(password) < _SHORTEST:
            raise UsageError(f"a password of {len(password)} letters; give {_SHORTEST} or more")
        self._write({**self.read(), name: User(name, _role(role), _HASHER.hash(password))})

    def remove(self, name: str) -> None:
        """Remove somebody; errors as in ``add``, and where there is no such user."""
        users = self.read()
        if name not in users:
            raise UsageError(f"no user {name!r}; there are: {', '.join(users) or 'none'}")
        del users[name]
        self._write(users)

    def _write(self, users: Mapping[str, User]) -> None:
        """Readable by the service's own user only, whole or not at all."""
        text = json.dumps({"format": _FORMAT, "users": [asdict(one) for one in users.values()]}, indent=1)
        partial = self.path.with_name(f".{FILE}.partial")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
        except OSError as error:
            raise DataError(f"{self.path} cannot be written: {error.strerror}; look at the folder") from None


@dataclass(eq=False)
class Users:
    """Who may come in. Where nobody is needed, everybody on this machine is the admin ``local``."""

    file: UserFile
    host: str = "127.0.0.1"  # that the page is served on
    clock: Callable[[], float] = time.monotonic
    open_csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)  # before the login
    _sessions: dict[str, Session] = field(default_factory=dict, repr=False)
    _wrong: dict[str, deque[float]] = field(default_factory=dict, repr=False)
    _known: tuple[int, dict[str, User]] = (-1, {})
    _lock: Lock = field(default_factory=Lock, repr=False)

    def check_host(self) -> None:
        """Refuse an address that others can reach while there are no users.

        Raises:
            UsageError: it is one.
        """
        if not is_local(self.host) and not self.users():
            text = "there are no users; add one with `layerwatch users add NAME --role admin --data DIR`"
            raise UsageError(f"--page {self.host}: others can reach this address, and {text}, or give 127.0.0.1")

    def users(self) -> dict[str, User]:
        """Users by name, read again when the file changes."""
        try:
            told = self.file.path.stat()
        except OSError:
            return {}
        changed = told.st_mtime_ns ^ told.st_ino
        if self._known[0] != changed:
            self._known = (changed, self.file.read())
        return self._known[1]

    @property
    def needs_login(self) -> bool:
        """Whether anybody must say who he is."""
        return not is_local(self.host) or bool(self.users())

    def log_in(self, name: str, password: str, where: str = "") -> tuple[str, Session] | None:
        """A new session with its secret token; None where name or password are wrong.

        Raises:
            LockedError: five were wrong within a minute, for this name or from this address.
        """
        keys = [f"name {name}", *([f"from {where}"] if where else [])]
        with self._lock:  # hashing takes memory on purpose: one at a time
            now = self.clock()
            self._check_wrong(keys, now)
            user = self.users().get(name)
            is_right = _verified(user.hash if user is not None else _nobody(), password) and user is not None
            if not is_right:
                for key in keys:
                    self._wrong.setdefault(key, deque(maxlen=_MOST_WRONG)).append(now)
                return None
            self._wrong.pop(keys[0], None)
            self._forget(now)
            token, session = secrets.token_urlsafe(32), Session(name, secrets.token_urlsafe(24), now + _LASTS)
            self._sessions[token] = session
            return token, session

    def session(self, token: str) -> Session | None:
        """The session of a token; None where it is over or its user was removed."""
        found = self._sessions.get(token)
        return found if found and self.clock() < found.until and found.name in self.users() else None

    def role(self, session: Session) -> Role | None:
        """What its user may do now; None where he was removed meanwhile."""
        user = self.users().get(session.name)
        return None if user is None else user.role

    def log_out(self, token: str) -> None:
        """End a session."""
        self._sessions.pop(token, None)

    def _check_wrong(self, keys: list[str], now: float) -> None:
        for key in [one for one, times in self._wrong.items() if now - times[-1] > _WINDOW]:
            del self._wrong[key]
        for key in keys:
            times = self._wrong.get(key, deque())
            if len(times) == _MOST_WRONG and now - times[0] <= _WINDOW:
                wait = _WINDOW - (now - times[0])
                raise LockedError(f"{_MOST_WRONG} wrong passwords in a minute; try again in {wait:.0f} s")

    def _forget(self, now: float) -> None:
        self._sessions = {token: one for token, one in self._sessions.items() if now < one.until}
        while len(self._sessions) >= _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]


def may(role: Any, least: str) -> bool:
    """Whether a role is enough."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(_role(least))


def _role(role: str) -> Role:
    for one in ROLES:
        if one == role:
            return one
    raise UsageError(f"no role {role!r}; there are: {', '.join(ROLES)}")


@cache
def _nobody() -> str:
    """A hash that no password fits, so that a wrong name takes as long as a wrong password."""
    return _HASHER.hash(secrets.token_urlsafe(32))


def _verified(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (Argon2Error, InvalidHashError, ValueError):
        return False
