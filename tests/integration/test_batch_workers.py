"""Workers that a batch starts on its own machine."""

from __future__ import annotations

import os

import pytest

from batch.dask.cluster import Workers, connected


@pytest.mark.slow
def test_they_keep_the_memory_that_a_batch_needed_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> set[str | None]:
        with connected(None, Workers(count=1, threads=1, memory="1GiB", dashboard="127.0.0.1:0")) as client:
            return set(client.run(os.environ.get, "MALLOC_TRIM_THRESHOLD_").values())

    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    assert told() == {None}  # Dask's own word is 64 KiB
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1048576")
    assert told() == {"1048576"}
