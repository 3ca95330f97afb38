"""The zoo for tests: new databases of both kinds, keys, and clients."""

from __future__ import annotations

import hashlib
import uuid
from contextlib import ExitStack, asynccontextmanager
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine, NullPool, create_engine, select
from sqlalchemy.orm import Session

from gateway.sky import SkySettings
from tests.support import postgres
from zoo.app import create_app
from zoo.database.models import LeaseRow
from zoo.settings import ZooSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    Databases = Callable[[str, Path], str]

KINDS = ("sqlite", "postgresql")
MODERATOR = "inclinet_moderator"
NOBODY = SkySettings(attempts=1)


@pytest.fixture(scope="session")
def new_database() -> Iterator[Databases]:
    """Yield a function that makes a database of a kind and returns its address; it starts PostgreSQL when needed."""
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


def keys_file(folder: Path, *names: str) -> Path:
    """Write a file of keys: ``inclinet_NAME`` for each name."""
    path = folder / "keys"
    lines = [f"{name}:{hashlib.sha256(f'inclinet_{name}'.encode()).hexdigest()}" for name in ("moderator", *names)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def zoo_settings(database: str, folder: Path, *names: str, **changed: Any) -> ZooSettings:
    """Return settings of a zoo with a moderator and other holders of keys, without limits on speed."""
    same: dict[str, Any] = {
        "database": database,
        "api_keys_file": keys_file(folder, *names),
        "rate_limit_per_minute": 0,
        "tokens_per_minute": 0,
        "log_level": "ERROR",
    }
    return ZooSettings(**same | changed)


@asynccontextmanager
async def asked_zoo(
    settings: ZooSettings, sky: SkySettings = NOBODY, seed: int = 1
) -> AsyncIterator[httpx.AsyncClient]:
    """Run a zoo in the test's own event loop; yield a client of it, without a key."""
    app = create_app(settings, sky=sky, rng=np.random.default_rng(seed))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://zoo") as client:
            yield client


@cache
def _engine(database: str) -> Engine:
    return create_engine(database, poolclass=NullPool)  # it keeps no connection that somebody would have to close


def truth_of(database: str, code: str) -> float | None:
    """Return the inclination of a lease's standard; None for a target."""
    with Session(_engine(database)) as session:
        lease = session.scalars(select(LeaseRow).where(LeaseRow.code == code)).one()
        return lease.standard.truth_deg if lease.standard is not None else None


def bearer(key: str) -> dict[str, str]:
    """Return the header with a key or token."""
    return {"authorization": f"Bearer {key}"}


def said(lease: str, inclination_deg: float | None, *flags: str, **more: Any) -> dict[str, Any]:
    """Return an answer in a browser's JSON."""
    return {
        "kind": "answer",
        "uuid": str(uuid.uuid4()),
        "lease": lease,
        "inclination_deg": inclination_deg,
        "flags": list(flags),
        "seconds": 20.0,
        **more,
    }
