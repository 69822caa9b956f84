"""A query over a long table -> its rows, page by page, so that whoever reads slowly keeps no writer waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select
from sqlalchemy.exc import DBAPIError

from layerwatch.inspection.spool import StorageError

PAGE = 1000  # rows


def paged(source: Engine | Connection, query: Select[Any], key: ColumnElement[Any], most: int = PAGE) -> Iterator[Any]:
    """Rows in order of a column that is unique and not below 0; the database is free between two pages of an engine.

    Raises:
        StorageError: the database cannot be read.
    """
    last = -1
    while page := _page(source, query.add_columns(key.label("_key")).where(key > last).order_by(key).limit(most)):
        yield from page
        last = page[-1]._key


@contextmanager
def reading(source: Engine | Connection) -> Iterator[Connection]:
    """A connection for one short look, or the one that is open already; raises as ``paged``."""
    try:
        if isinstance(source, Connection):
            yield source
            return
        with source.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise StorageError(f"the journal cannot be read ({error.orig}); mend the database") from None


def _page(source: Engine | Connection, query: Select[Any]) -> list[Any]:
    with reading(source) as connection:
        return list(connection.execute(query))
