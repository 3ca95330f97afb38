"""A batch whose Dask scheduler goes away."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from inclinet.main import app
from tests.support.dask_runs import ROOT, write_csv
from tests.support.fake_serving import FakeServing
from tests.support.live import networks
from tests.support.manifests import manifest, models_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

CLUSTER = """
import os, sys
from distributed import LocalCluster
from batch.inputs import images

async def dies(self, name):
    os._exit(1)

images.Files.read = dies
if __name__ == "__main__":
    options = {"protocol": "tcp", "processes": False, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=1, threads_per_worker=1, **options) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def test_a_run_whose_scheduler_dies_ends_with_3_and_a_sentence(tmp_path: Path) -> None:
    release = manifest(2)
    (tmp_path / "manifest.json").write_text(release.model_dump_json())
    (tmp_path / "a.png").write_bytes(b"never read")
    table = write_csv(tmp_path / "table.csv", ["file"], [("a.png",)])
    with (
        networks(FakeServing(models_of(release))) as serving,
        subprocess.Popen(
            [sys.executable, "-c", CLUSTER],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as cluster,
    ):
        assert cluster.stdout is not None
        scheduler = cluster.stdout.readline().strip()
        ended = CliRunner().invoke(
            app,
            [
                *("batch", str(table), f"--out={tmp_path / 'out'}", f"--dask={scheduler}", f"--serving={serving}"),
                f"--manifest={tmp_path / 'manifest.json'}",
            ],
        )
    assert ended.exit_code == 3, ended.stderr
    assert "The scheduler or its connection was lost." in ended.stderr
