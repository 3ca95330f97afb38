"""Galaxies are cut from mosaics in a bucket; what is wrong with the bucket is one sentence, whichever engine asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import s3fs

from batch.imaging import imaging
from tests.support.batch_runs import ROOT, Command
from tests.support.s3 import BUCKET, S3Server
from tests.support.serving import free_port
from tests.support.two_tiles import DISCS, write_tiles
from tests.unit.batch.imaging.test_batch_cutter import line, measured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("large libraries")]

TILES = f"s3://{BUCKET}/tiles"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[S3Server]:
    with S3Server(monkeypatch) as store:
        (tmp_path / "tiles").mkdir()
        store.files.put(str(write_tiles(tmp_path / "tiles")), f"{BUCKET}/", recursive=True)
        yield store


async def test_a_bucket_s_tiles_give_what_those_of_a_disk_give(store: S3Server, tmp_path: Path) -> None:
    lines = [line(number) for number in range(len(DISCS))]
    (tmp_path / "disk").mkdir()
    expected = await measured(lines, tmp_path / "tiles", tmp_path / "disk")
    found = await measured(lines, TILES, tmp_path)
    assert [row["problem"] for row in found] == [None] * 3
    assert [row["inclination_deg"] for row in found] == [row["inclination_deg"] for row in expected]
    assert store.files.find(f"{BUCKET}/tiles")


async def test_what_the_bucket_lacks_or_holds_back_meanwhile_is_a_row_s_problem(
    store: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = imaging.find(TILES, f"s3://{BUCKET}/index", (), lambda _said: None).index
    store.files.rm_file(f"{BUCKET}/tiles/1-r.fits.fz")
    s3fs.S3FileSystem.clear_instance_cache()
    rows = await measured([line(0), line(2)], index, tmp_path)
    assert [row["problem_type"] for row in rows] == [None, "bad-image"]
    assert rows[1]["problem"] == f"An image of the sky is not there any more: {TILES}/1-r.fits.fz."
    # the index lies here, and the bucket does not let in any more
    (tmp_path / "index.parquet").write_bytes(store.files.cat_file(index.removeprefix("s3://")))
    store.refuse()
    for number, missing in enumerate(((), ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))):
        for name in missing:
            monkeypatch.delenv(name)
        s3fs.S3FileSystem.clear_instance_cache()
        (folder := tmp_path / str(number)).mkdir()
        (row,) = await measured([line(0)], tmp_path / "index.parquet", folder)
        words = "credentials" if missing else "Forbidden|Access Denied|does not exist"
        assert row["problem_type"] == "upstream-unavailable"
        assert re.fullmatch(rf"An image of the sky can't be read: .*({words})[^\n]*\.", row["problem"])


@pytest.mark.parametrize(
    ("engine", "location", "words"),
    [
        ("--dask", TILES, "The credentials for s3://survey/tiles don't let in"),
        ("--url=http://127.0.0.1:9", f"{TILES}/*-g.fits.fz", "The credentials for s3://survey/tiles/.* don't let in"),
        ("--url=http://127.0.0.1:9", "nowhere", "s3://survey/tiles can't be reached"),
    ],
)
def test_a_bucket_that_does_not_let_in_ends_the_command_with_a_sentence(
    store: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, engine: str, location: str, words: str
) -> None:
    (tmp_path / "table.csv").write_text(f"id,ra,dec,d25,pa\n{line(0)}\n")
    monkeypatch.setenv("INCLINET_MANIFEST", str(ROOT / "model_repo" / "manifest.json"))
    if location == "nowhere":
        location = TILES
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    else:
        store.refuse()
    command = Command(tmp_path / "out", tmp_path / "table.csv", f"--imaging={location}", engine)
    assert command.wait() in {2, 3}
    assert "Traceback" not in command.complained
    assert re.search(words, " ".join((command.said + command.complained).split()))
