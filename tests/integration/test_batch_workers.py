"""Workers that a batch starts on its own machine."""

from __future__ import annotations

import os

import pytest

from batch.dask.cluster import Workers, connected


@pytest.mark.slow
def test_they_keep_the_memory_that_a_batch_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    with connected(None, Workers(count=1, threads=1, memory="1GiB", dashboard="127.0.0.1:0")) as client:
        # Dask's own word is 64 KiB
        assert set(client.run(os.environ.get, "MALLOC_TRIM_THRESHOLD_").values()) == {None}
