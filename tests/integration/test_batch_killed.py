"""A batch with Dask as a process: killed in two ways, and run again."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from distributed import LocalCluster
from typer.testing import CliRunner

from inclinet.main import app
from tests.support.dask_runs import DaskProcess, medians, pictures, rows_of, write_csv
from tests.support.models import write_repository
from tests.support.pictures import encoded
from tests.support.serving import ServingProcess
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.models import Repository

pytestmark = pytest.mark.slow

ROWS, SIZE = 48, 8
HELD = (19, 37)
"""Rows of two partitions whose images do not come until the test lets them."""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return write_repository(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def serving(release: Repository) -> Iterator[str]:
    with ServingProcess(release.config, release.root / "serving.log") as process:
        yield process.address


class Held:
    """An image that blocks whoever reads it, like a store that hangs, until it is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        # a writer, so that a reader's opening does not block and shows which process reads
        self._end = os.open(path, os.O_RDWR)

    def arrive(self, data: bytes) -> None:
        """Put the image where the next reader finds it; who reads already goes on waiting."""
        there = self.path.with_suffix(".there")
        there.write_bytes(data)
        there.replace(self.path)

    def close(self) -> None:
        os.close(self._end)


def test_a_batch_killed_in_two_ways_ends_with_every_row_once_and_right(
    tmp_path: Path, release: Repository, serving: str
) -> None:
    images, out = pictures(ROWS), tmp_path / "out"
    for number, image in enumerate(images):
        if number not in HELD:
            (tmp_path / f"{number}.png").write_bytes(encoded(image, "PNG", compress_level=1))
    first, second = (Held(tmp_path / f"{number}.png") for number in HELD)
    table = write_csv(tmp_path / "table.csv", ["key", "file"], [(f"g{n}", f"{n}.png") for n in range(ROWS)])
    arguments = [
        *(str(table), f"--out={out}", f"--rows={SIZE}", "--workers=1", "--threads=2", f"--serving={serving}"),
        f"--manifest={release.root / 'manifest.json'}",
    ]

    def written() -> dict[str, int]:
        return {path.name: path.stat().st_ino for path in out.glob("part-*.parquet")}

    running = DaskProcess(tmp_path, *arguments)
    try:
        # a worker dies in the middle of a partition; the one that takes its place does it again
        worker = running.holder_of(first.path)
        # it keeps the memory that a batch needed: Dask's own word is 64 KiB
        assert "MALLOC_TRIM_THRESHOLD_" not in worker.environ()
        worker.kill()
        first.arrive(encoded(images[HELD[0]], "PNG"))
        # client and scheduler die with another one under way, when all others are written
        running.holder_of(second.path)
        wait_until(lambda: len(written()) == ROWS // SIZE - 1, f"the others to be written:\n{running.log()}", 90)
        running.kill()
    finally:
        running.stop()
    before = written()
    assert f"part-{HELD[1] // SIZE:06d}.parquet" not in before

    second.arrive(encoded(images[HELD[1]], "PNG"))
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0") as cluster:
        again = CliRunner().invoke(app, ["batch", f"--dask={cluster.scheduler_address}", *arguments, "--json"])
    first.close()
    second.close()

    summary = json.loads(again.stdout.splitlines()[0])
    assert (again.exit_code, summary["written"], summary["answered"]) == (0, ROWS, ROWS)
    assert before.items() <= written().items(), "what was written is not written again"
    rows = rows_of(out)
    assert [row["row"] for row in rows] == list(range(ROWS))
    assert [row["key"] for row in rows] == [f"g{n}" for n in range(ROWS)]
    assert [row["inclination_deg"] for row in rows] == pytest.approx(medians(images), abs=0.0101)
    assert {row["n_flavors"] for row in rows} == {4}
    assert not [path.name for path in out.iterdir() if path.name.endswith(".partial")]
