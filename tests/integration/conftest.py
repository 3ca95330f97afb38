"""Fixtures that several rooms of these tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.sky.http.retry_policy import RetryPolicy
from tests.support.scripted_gateway import ScriptedGateway
from tests.support.sky_client import Client, Counter
from tests.support.sky_fakes import FakeSky

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from gateway.sky import Sky
    from tests.support.live import Live


@pytest.fixture
def gateway() -> ScriptedGateway:
    return ScriptedGateway()


@pytest.fixture
def live(gateway: ScriptedGateway) -> Iterator[Live]:
    with gateway.live() as live:
        yield live


@pytest.fixture
def one() -> Iterator[Counter]:
    with Counter() as fake:
        yield fake


@pytest.fixture
def other() -> Iterator[Counter]:
    with Counter() as fake:
        yield fake


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(RetryPolicy(backoff_s=0.02, circuit_rest_s=0.3), contact="mailto:a@b.c")
    yield client
    await client.aclose()


@pytest.fixture
def fakes() -> Iterator[FakeSky]:
    with FakeSky() as fakes:
        yield fakes


@pytest.fixture
async def sky(fakes: FakeSky) -> AsyncIterator[Sky]:
    async with fakes.opened() as sky:
        yield sky
