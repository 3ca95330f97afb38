"""Opens the database and migrates its tables."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x1C11E7
"""Number of PostgreSQL's advisory lock, by which one of several servers that start together migrates."""

BUSY_S = 20.0
"""Time for which a transaction on SQLite waits for a writer, seconds."""


class DatabaseUnusable(Exception):
    """The database can't be opened or migrated; the message tells why."""


class Database:
    """An open database; its transactions are short, and belong to the thread that begins them.

    Parameters
    ----------
    url : str
        URL as for :func:`open_database`, which also defines the errors.
    migrated : bool
        Whether its tables are known to be up to date, since a check would delay other writers.
    """

    def __init__(self, url: str, *, migrated: bool = False) -> None:
        self.url = url
        self._writing = _engine(url) if migrated else open_database(url)
        self._reading = self._writing.execution_options(writes=False)
        # SQLite allows one writer, and waiting writers sleep longer and longer; the lock lets them take turns
        sqlite = self._writing.dialect.name == "sqlite"
        self._turn: AbstractContextManager[Any] = threading.Lock() if sqlite else nullcontext()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a transaction that only reads."""
        with Session(self._reading, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction that is committed at the end of the block, or not at all."""
        with self._turn, Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self._writing.dispose()


def open_database(url: str) -> Engine:
    """Open the database and migrate its tables to the newest revision.

    Parameters
    ----------
    url : str
        SQLAlchemy's URL: ``sqlite:///zoo.sqlite`` or ``postgresql+psycopg://user:password@host/name``.

    Raises
    ------
    DatabaseUnusable
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = _engine(url)
    except (ArgumentError, ImportError, OSError) as error:
        raise DatabaseUnusable(f"The address of the database can't be used: {error}.") from None
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
            migrate(connection)
    except SQLAlchemyError as error:
        engine.dispose()
        # the URL may hold a password, so only the driver's own message is shown
        raise DatabaseUnusable(f"The database can't be used: {getattr(error, 'orig', None) or error}.") from None
    return engine


def migrate(connection: Connection, revision: str = "head") -> None:
    """Migrate the tables to a revision, within the connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=20, max_overflow=20)
    engine = create_engine(url, connect_args={"timeout": BUSY_S}, pool_size=20, max_overflow=20)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # the driver begins a transaction too late to exclude a second writer
        connection.isolation_level = None
        cursor = connection.cursor()
        # readers never wait for the writer, and committed answers survive a power failure
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # SQLite may refuse a transaction that starts to write half-way; one that begins as a writer waits
        writes = connection.get_execution_options().get("writes", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
