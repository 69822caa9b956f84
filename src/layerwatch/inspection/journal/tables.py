"""The journal's tables: frames, verdicts, alarms, messages and what is still to be sent."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()
_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts by itself only where it says INTEGER

frames = Table(
    "frames",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),  # rising in order of arrival
    Column("printer", String(200), nullable=False),
    Column("job", String(400), nullable=False),
    Column("layer", Integer, nullable=False),
    Column("phase", String(100), nullable=False),
    Column("shot", String(100), nullable=False),
    Column("sha256", String(64), nullable=False),  # empty: no frame came
    Column("path", Text, nullable=False),  # relative to the data folder; empty where the file is gone or none came
    Column("size", BigInteger, nullable=False),  # bytes
    Column("name", Text, nullable=False),  # where it came from
    Column("received", Float, nullable=False),  # s since 1970 in UTC
    Column("exposed", Float),  # the same
    Column("note", Text, nullable=False),  # why it is not known which frame it is
    Column("state", String(20), nullable=False),  # waiting, judged, missing
    UniqueConstraint("printer", "job", "layer", "phase", "shot", name="one_frame"),
)
Index("waiting_frames", frames.c.printer, frames.c.state, frames.c.number)
Index("frames_of_job", frames.c.printer, frames.c.job, frames.c.number)

conflicts = Table(
    "conflicts",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("frame", _Number, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("path", Text, nullable=False),
    Column("received", Float, nullable=False),
    UniqueConstraint("frame", "sha256", name="one_conflict"),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("frame", _Number, primary_key=True, autoincrement=False),
    Column("printer", String(200), nullable=False),
    Column("job", String(400), nullable=False),
    Column("layer", Integer, nullable=False),
    Column("word", String(10), nullable=False),
    Column("fault", String(100), nullable=False),  # kind of the fault; empty where judged
    Column("body", JSON, nullable=False),  # the verdict, its sightings and seconds
    Column("heat", Text, nullable=False),  # place of the heat map; empty where there is none
    Column("model", String(200), nullable=False),
    Column("judged", Float, nullable=False),  # s since 1970 in UTC
    Column("message", _Number, nullable=False),  # that told it: in this order they were judged
)
Index("verdicts_of_job", verdicts.c.printer, verdicts.c.job, verdicts.c.message)

jobs = Table(
    "jobs",
    metadata,
    Column("printer", String(200), primary_key=True),
    Column("job", String(400), primary_key=True),
    Column("began", Float, nullable=False),
    Column("last", Float, nullable=False),
    Column("ended", Float),
    Column("body", JSON, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column("printer", String(200), primary_key=True),
    Column("job", String(400), primary_key=True),
    Column("number", Integer, primary_key=True),  # within the job
    Column("kind", String(20), nullable=False),
    Column("level", String(20), nullable=False),
    Column("state", JSON, nullable=False),  # of the operator's state machine
    Column("is_open", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Column("raised", Float, nullable=False),
    Column("changed", Float, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("time", Float, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("printer", String(200), nullable=False),
    Column("job", String(400), nullable=False),
    Column("body", JSON, nullable=False),
    Column("blobs", JSON, nullable=False),
    sqlite_autoincrement=True,  # numbers are never used again: readers resume by them
)
Index("messages_of_job", messages.c.printer, messages.c.job, messages.c.number)

outbox = Table(
    "outbox",
    metadata,
    Column("sink", String(100), primary_key=True),
    Column("message", _Number, primary_key=True, autoincrement=False),
    Column("tries", Integer, nullable=False),
    Column("again", Float, nullable=False),
    Column("reason", Text, nullable=False),
)
