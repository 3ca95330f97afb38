from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.two_tiles import write_tiles

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiles(tmp_path_factory.mktemp("tiles"))
