"""What all tests of the HTTP face share."""

from __future__ import annotations

import pytest

from gateway.api.routes import models, probes


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a machine that stalls for seconds tell no other state than one that does not."""
    monkeypatch.setattr(probes, "READINESS_TIMEOUT_S", 60.0)
    monkeypatch.setattr(probes, "SCRAPE_TIMEOUT_S", 60.0)
    monkeypatch.setattr(models, "STATUS_TIMEOUT_S", 60.0)
