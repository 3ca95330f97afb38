"""``inclinet zoo up``: a server that says where it is, keeps its moderator's key, and may be killed at any moment."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

import httpx
import pytest
from typer.testing import CliRunner

from inclinet.main import app
from tests.support.zoo import bearer, said

if TYPE_CHECKING:
    from pathlib import Path


def started(folder: Path) -> tuple[subprocess.Popen[str], str, str]:
    """Start a zoo whose database and keys lie in a folder; return the process, its address, and what it said before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "inclinet", "zoo", "up", "--port", "0", "--folder", str(folder)],
        env=os.environ | {"INCLINET_ZOO_DATABASE": f"sqlite:///{folder}/zoo.sqlite", "INCLINET_ZOO_LOG_LEVEL": "ERROR"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    before = ""
    for line in process.stdout:
        found = re.search(r"The zoo is at (\S+)", line)
        if found:
            return process, found[1], before
        before += line
    raise AssertionError(before)


@pytest.mark.slow
def test_what_was_answered_outlives_a_server_that_is_killed(tmp_path: Path) -> None:
    process, url, before = started(tmp_path)
    transport = httpx.HTTPTransport(retries=5)
    with httpx.Client(transport=transport, timeout=60) as client:
        key = re.search(r"inclinet_\S+", before)
        assert key is not None
        boss = bearer(key[0])
        client.post(f"{url}api/projects", headers=boss, json={"slug": "p", "title": "P"}).raise_for_status()
        lease = client.post(f"{url}api/projects/p/next", headers=boss).json()[0]["lease"]
        queue = {"said": [said(lease, 50.0)]}
        assert client.post(f"{url}api/answers", headers=boss, json=queue).json()[0]["status"] == "taken"
    with process:
        process.send_signal(signal.SIGKILL)
    again, url, before = started(tmp_path)
    with again:
        assert before == ""
        assert oct((tmp_path / "keys").stat().st_mode)[-3:] == "600"
        answer = httpx.post(f"{url}api/answers", headers=boss, json=queue, timeout=60)
        assert answer.json()[0]["status"] == "known"
        again.terminate()
        assert again.wait(60) in {0, -signal.SIGTERM}


def test_a_database_that_can_not_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    database = {"INCLINET_ZOO_DATABASE": "postgresql+psycopg://zoo:hidden@127.0.0.1:1/zoo"}
    # the logs of this process stay where they are: the runner's output is closed behind it
    with patch("inclinet_service.zoo.configure_logging"):
        told = CliRunner().invoke(app, ["zoo", "up", "--port=0", f"--folder={tmp_path}"], env=database)
    assert told.exit_code == 2
    assert isinstance(told.exception, SystemExit)
    assert "The database can't be used" in told.stderr
    assert "hidden" not in told.output
