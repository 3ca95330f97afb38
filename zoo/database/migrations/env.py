"""Alembic's entry point: runs migrations in the transaction of :mod:`zoo.database.engine`'s connection."""

from __future__ import annotations

from alembic import context

from zoo.database.models import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
