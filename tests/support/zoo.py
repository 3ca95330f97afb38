"""Databases for tests of the zoo, each new and empty: SQLite in a folder, or a database of a PostgreSQL cluster."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.support import postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def new_database() -> Iterator[Callable[[str, Path], str]]:
    """Return what makes a database of a kind and returns its address; PostgreSQL's server starts when first asked."""
    numbers = count()
    with ExitStack() as opened:
        servers: list[str] = []

        def make(kind: str, folder: Path) -> str:
            if kind == "sqlite":
                return f"sqlite:///{folder}/zoo-{next(numbers)}.sqlite"
            binaries = postgres.programs()
            if binaries is None:
                pytest.skip("there is no PostgreSQL here: install Debian's package postgresql")
            if not servers:
                servers.append(opened.enter_context(postgres.cluster(binaries)))
            return postgres.new_database(servers[0], f"zoo{next(numbers)}")

        yield make
