"""Nothing -> the journal's first tables: frames, verdicts, jobs, alarms, messages and the outbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TABLES = ("outbox", "messages", "alarms", "jobs", "verdicts", "conflicts", "frames")


def upgrade() -> None:
    """Make the tables."""
    _frames()
    _verdicts()
    _jobs()
    _messages()


def downgrade() -> None:
    """Drop the tables with all that is in them."""
    for name in _TABLES:
        op.drop_table(name)


def _frames() -> None:
    op.create_table(
        "frames",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("printer", sa.String(200), nullable=False),
        sa.Column("job", sa.String(400), nullable=False),
        sa.Column("layer", sa.Integer, nullable=False),
        sa.Column("phase", sa.String(100), nullable=False),
        sa.Column("shot", sa.String(100), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("received", sa.Float, nullable=False),
        sa.Column("exposed", sa.Float),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.UniqueConstraint("printer", "job", "layer", "phase", "shot", name="one_frame"),
    )
    op.create_index("waiting_frames", "frames", ["printer", "state", "number"])
    op.create_index("frames_of_job", "frames", ["printer", "job", "number"])
    op.create_table(
        "conflicts",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("frame", _NUMBER, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("received", sa.Float, nullable=False),
        sa.UniqueConstraint("frame", "sha256", name="one_conflict"),
    )


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("frame", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("printer", sa.String(200), nullable=False),
        sa.Column("job", sa.String(400), nullable=False),
        sa.Column("layer", sa.Integer, nullable=False),
        sa.Column("word", sa.String(10), nullable=False),
        sa.Column("fault", sa.String(100), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("heat", sa.Text, nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("judged", sa.Float, nullable=False),
        sa.Column("message", _NUMBER, nullable=False),
    )
    op.create_index("verdicts_of_job", "verdicts", ["printer", "job", "message"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("printer", sa.String(200), primary_key=True),
        sa.Column("job", sa.String(400), primary_key=True),
        sa.Column("began", sa.Float, nullable=False),
        sa.Column("last", sa.Float, nullable=False),
        sa.Column("ended", sa.Float),
        sa.Column("body", sa.JSON, nullable=False),
    )
    op.create_table(
        "alarms",
        sa.Column("printer", sa.String(200), primary_key=True),
        sa.Column("job", sa.String(400), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
        sa.Column("is_open", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("raised", sa.Float, nullable=False),
        sa.Column("changed", sa.Float, nullable=False),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("time", sa.Float, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("printer", sa.String(200), nullable=False),
        sa.Column("job", sa.String(400), nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("blobs", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_of_job", "messages", ["printer", "job", "number"])
    op.create_table(
        "outbox",
        sa.Column("sink", sa.String(100), primary_key=True),
        sa.Column("message", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("again", sa.Float, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
