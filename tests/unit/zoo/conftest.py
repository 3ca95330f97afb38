"""A new database for a test, of every kind that there is."""

from __future__ import annotations

from tests.support.zoo import new_database

__all__ = ["new_database"]
