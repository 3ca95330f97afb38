"""Settings of the whole suite."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TRAINING = Path(__file__).parent / "unit" / "training"

# What the tests import stays: to look through it for garbage again and again takes a third of a worker's start.
gc.disable()

# The suite talks to loopback only; a test of proxies names its own.
for name in ("http", "https", "all", "no", "grpc", "no_grpc"):
    for spelling in (f"{name}_proxy", f"{name}_proxy".upper()):
        os.environ.pop(spelling, None)

# Workers are more than cores: threads of one matrix product would spin while they wait for each other.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

# gRPC's threads survive a fork for a moment and complain where a test reads what the child says.
os.environ["GRPC_VERBOSITY"] = "NONE"

# Machines are noisy: a slow example is no failure, and fixtures here hold no state between examples.
settings.register_profile("suite", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each worker whole files, and one of them all that trains: it imports TensorFlow and compiles once for all.

    Begin with the files that take long, so that no core waits for the last of them at the end.
    """
    for item in items:
        group = "training" if TRAINING in item.path.parents else str(item.path)
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group))
    slow = {
        item.path for item in items if item.get_closest_marker("slow") or "browser" in getattr(item, "fixturenames", ())
    }
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def _temporary_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what processes leave that are killed, TensorFlow's and Chromium's most of all, where pytest cleans up."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(tmp_path_factory.mktemp("t"))


def pytest_collection_finish() -> None:
    """Look for garbage from here on, in what the tests themselves make."""
    gc.freeze()
    gc.enable()
