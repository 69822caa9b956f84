"""Users: hashed, with roles, locked after five wrong passwords, and needed wherever others can reach the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from layerwatch.dashboard.app import create_app
from layerwatch.dashboard.users import LockedError, UserFile, Users, is_local, may
from layerwatch.inspection.journal.journal import Journal
from layerwatch.records import DataError, UsageError
from tests.dashboard.conftest import desk_of, serving

RIGHT = "a long password"


def test_a_password_is_kept_as_a_hash_only(tmp_path: Path) -> None:
    file = UserFile(tmp_path)
    file.add("Kim", "operator", RIGHT)
    assert RIGHT not in file.path.read_text(encoding="utf-8")
    assert file.path.stat().st_mode & 0o077 == 0
    assert "argon2id" in file.read()["Kim"].hash
    file.remove("Kim")
    assert file.read() == {}
    with pytest.raises(UsageError, match="no user"):
        file.remove("Kim")


@pytest.mark.parametrize(
    ("name", "role", "password"), [("", "admin", RIGHT), ("Kim", "king", RIGHT), ("Kim", "admin", "short")]
)
def test_what_makes_no_user_is_refused(tmp_path: Path, name: str, role: str, password: str) -> None:
    with pytest.raises(UsageError):
        UserFile(tmp_path).add(name, role, password)
    assert not list(tmp_path.iterdir())


def test_a_broken_file_lets_nobody_in(tmp_path: Path) -> None:
    UserFile(tmp_path).path.write_text('{"users": [{"name": "Kim"}]}', encoding="utf-8")
    with pytest.raises(DataError, match="no list of users"):
        Users(UserFile(tmp_path)).log_in("Kim", RIGHT)


def test_five_wrong_passwords_lock_for_a_minute(tmp_path: Path) -> None:
    now = [0.0]
    UserFile(tmp_path).add("Kim", "admin", RIGHT)
    users = Users(UserFile(tmp_path), clock=lambda: now[0])
    for _ in range(5):
        assert users.log_in("Kim", "wrong", "10.0.0.1") is None
    with pytest.raises(LockedError, match="try again in 60 s"):
        users.log_in("Kim", RIGHT, "10.0.0.2")
    with pytest.raises(LockedError):
        users.log_in("somebody else", "wrong", "10.0.0.1")
    now[0] = 61
    assert users.log_in("Kim", RIGHT, "10.0.0.1") is not None


def test_a_session_ends_with_its_user_and_with_time(tmp_path: Path) -> None:
    now, file = [0.0], UserFile(tmp_path)
    file.add("Kim", "viewer", RIGHT)
    file.add("Alex", "admin", RIGHT)
    users = Users(file, clock=lambda: now[0])
    found = users.log_in("Kim", RIGHT)
    assert found is not None
    token, session = found
    assert users.role(session) == "viewer"
    file.add("Kim", "operator", RIGHT)
    assert users.role(session) == "operator"
    file.remove("Kim")
    assert users.session(token) is None
    other = users.log_in("Alex", RIGHT)
    assert other is not None
    now[0] = 13 * 3600
    assert users.session(other[0]) is None


def test_an_open_address_without_users_is_refused(filled: tuple[Path, Journal], tmp_path: Path) -> None:
    desk = desk_of(*filled, Users(UserFile(tmp_path), "0.0.0.0"))
    with pytest.raises(UsageError, match="users add"):
        create_app(desk)
    UserFile(tmp_path).add("Kim", "admin", RIGHT)
    create_app(desk)
    UserFile(tmp_path).remove("Kim")
    assert desk.users.needs_login


def test_which_addresses_are_this_machine() -> None:
    assert [is_local(host) for host in ("127.0.0.1", "::1", "[::1]", "localhost", "127.8.0.1")] == [True] * 5
    assert [is_local(host) for host in ("0.0.0.0", "::", "10.0.0.1", "localhost.evil.example", "")] == [False] * 5
    assert may("engineer", "operator")
    assert not may("viewer", "operator")
    assert not may(None, "viewer")


def test_brute_force_is_answered_with_429(filled: tuple[Path, Journal], tmp_path: Path) -> None:
    UserFile(tmp_path).add("Kim", "admin", RIGHT)
    with serving(desk_of(*filled, Users(UserFile(tmp_path)))) as client:
        told = [client.post("/api/login", json={"name": "Kim", "password": f"guess {n}"}) for n in range(7)]
        assert [one.status_code for one in told] == [401] * 5 + [429] * 2
        assert "try again" in told[-1].json()["error"]


def test_a_login_sets_a_cookie_that_no_script_reads(filled: tuple[Path, Journal], tmp_path: Path) -> None:
    UserFile(tmp_path).add("Kim", "admin", RIGHT)
    with serving(desk_of(*filled, Users(UserFile(tmp_path)))) as client:
        before = client.get("/api/me").json()
        assert (before["name"], before["role"], before["needs_login"]) == ("", "", True)
        told = client.post("/api/login", json={"name": "Kim", "password": RIGHT})
        cookie = told.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert client.get("/api/fleet").status_code == 200
        assert client.post("/api/logout").status_code == 403  # the token from before the login
        client.headers["X-CSRF-Token"] = told.json()["csrf"]
        assert client.post("/api/logout").status_code == 200
        assert client.get("/api/fleet").status_code == 401
