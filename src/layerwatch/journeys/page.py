"""The address of the dashboard as a person gives it -> a page with reports and changes of models; and its users."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from layerwatch.dashboard.users import User, UserFile, Users
from layerwatch.journeys.build_report import ENDINGS, build_report
from layerwatch.journeys.data_place import place_of
from layerwatch.journeys.in_force import change
from layerwatch.journeys.serving.dashboard import Page, address_of

_WRITING = Lock()  # one report at a time: they draw with a library that is not made for threads


def page_of(address: str, data: Path | None, site: Path | None, *, stays: bool = False) -> Page:
    """The page.

    Args:
        address: HOST:PORT.
        data: folder of the service.
        site: file that names it.
        stays: after the end of a job that is the only one.

    Raises:
        UsageError: the address or the site file is off, or others can reach the address and there are no users.
        DataError: the file of users is broken.
    """
    host, port = address_of(address)
    place = place_of(data, site)
    Users(UserFile(place.folder), host).check_host()  # before anything long begins

    def report(printer: str, job: str, form: str) -> bytes | None:
        if f".{form}" not in ENDINGS:
            return None
        with _WRITING, TemporaryDirectory(prefix="layerwatch-") as folder:
            out = Path(folder) / f"report.{form}"
            build_report(job, out, data=data, site=site, printer=printer)
            return out.read_bytes()

    return Page(host, port, report, partial(change, place.folder, url=place.database), stays)


def users_of(data: Path) -> tuple[User, ...]:
    """Who may come in; errors as in ``UserFile.read``."""
    return tuple(UserFile(data).read().values())


def add_user(data: Path, name: str, role: str, password: str) -> None:
    """Add or change a user; errors as in ``UserFile.add``."""
    UserFile(data).add(name, role, password)


def remove_user(data: Path, name: str) -> None:
    """Remove a user; errors as in ``UserFile.remove``."""
    UserFile(data).remove(name)
