"""Migrations of the zoo's tables, run by Alembic when a server starts."""
