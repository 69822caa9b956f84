"""A connection that ``upgrading`` hands over -> the migrations run on it; Alembic itself calls this file."""

from __future__ import annotations

from alembic import context

from layerwatch.inspection.journal.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
