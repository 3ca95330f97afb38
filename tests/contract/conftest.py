"""The server under test: the stand-in, or whatever ``SERVING=host:port`` names.

``SERVING_MODELS`` is the directory of ``python -m
tests.contract.repository`` that it has mounted; without it the cases that change what lies there are skipped.
docs/reference/serving.md has the commands.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract import client, repository
from tests.support.serving import ServingProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[client.Server]:
    address = os.environ.get("SERVING")
    if address:
        mounted = os.environ.get("SERVING_MODELS")
        with client.connected(
            address,
            base=repository.MOUNT,
            directory=Path(mounted) if mounted else None,
        ) as connected:
            yield connected
        return
    root = tmp_path_factory.mktemp("models")
    repository.write_models(root)
    (root / "models.config").write_text(repository.config(repository.SERVED, base=str(root)), encoding="utf-8")
    with (
        ServingProcess(root / "models.config", root / "serving.log", "--enable_grpc_healthcheck_service") as process,
        client.connected(process.address, base=str(root), directory=root) as connected,
    ):
        yield connected


@pytest.fixture
def reloading(server: client.Server) -> Iterator[client.Server]:
    """Give the server, and its first config back afterwards."""
    yield server
    server.reload(repository.SERVED)
    server.wait_for_states("mean", dict.fromkeys((1, 2, 3), client.AVAILABLE))


@pytest.fixture
def models(server: client.Server) -> Path:
    """Return the directory of the models, to put versions into."""
    if server.directory is None:
        pytest.skip("SERVING_MODELS does not say where the server's models lie")
    return server.directory
