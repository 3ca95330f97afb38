"""The fake sky as a process of its own, as the demonstration runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.models import Deadline
from gateway.sky import SkySettings, open_sky


@pytest.mark.slow
async def test_it_says_where_it_is_answers_and_ends_quietly() -> None:
    command = [sys.executable, "-m", "tests.support.sky_demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220 - the only task
        try:
            assert process.stdout is not None
            urls = json.loads(process.stdout.readline())
            mirrors: dict[str, Any] = {name: tuple(listed) for name, listed in urls.items()}
            sky = open_sky(replace(SkySettings(), **mirrors))
            galaxy = await sky.resolver.by_name("UGC 9999X", deadline=Deadline.after(20))
            assert (await sky.cutouts.fetch(galaxy, deadline=Deadline.after(20))).survey == "SDSS DR18"
            await sky.aclose()
        finally:
            process.send_signal(signal.SIGTERM)
            _, complaints = process.communicate(timeout=20)
    assert (process.returncode, complaints) == (0, "")
