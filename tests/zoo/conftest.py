"""Zoos for tests, on every kind of database that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.zoo import KINDS, new_database

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.zoo import Databases

__all__ = ["new_database"]


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, new_database: Databases, tmp_path: Path) -> str:
    return new_database(request.param, tmp_path)
