"""The catalogue comes down whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.core import errors
from gateway.sky.catalogues import operator_file
from gateway.sky.resolvers.download import download
from tests.support.sky_fakes import FakeSky

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def fakes() -> Iterator[FakeSky]:
    with FakeSky() as fakes:
        yield fakes


async def test_the_catalogue_comes_in_pages_and_can_be_loaded(fakes: FakeSky, tmp_path: Path) -> None:
    progress: list[int] = []
    path = tmp_path / "pgc.csv"
    urls = tuple(fakes.urls["vizier_urls"])
    written = await download(path, urls=urls, min_d25_arcmin=8.0, page_rows=40, progress=progress.append)
    assert len(fakes.vizier.requests) - 1 == len(progress) == written // 40 + 1 > 1
    assert progress[-1] == written
    assert {request.query["maxrec"] for request in fakes.vizier.requests} == {"40"}
    catalogue = operator_file.load(path)
    assert len(catalogue) == written
    row = catalogue.row_of(42407)
    assert row is not None
    galaxy = catalogue.galaxy(row)
    assert (galaxy.ra_deg, galaxy.dec_deg) == pytest.approx((189.9976, -11.6231), abs=1e-3)
    assert galaxy.d25_arcmin == pytest.approx(8.5, abs=0.1)
    assert galaxy.axis_ratio == pytest.approx(0.585, abs=0.01)
    assert galaxy.position_angle_deg == 90.0
    assert [one.name for one in tmp_path.iterdir()] == ["pgc.csv"]  # noqa: ASYNC240 - nothing else runs


async def test_a_service_that_cuts_pages_short_is_read_to_the_end(fakes: FakeSky, tmp_path: Path) -> None:
    urls = tuple(fakes.urls["vizier_urls"])
    whole = await download(tmp_path / "whole.csv", urls=urls, min_d25_arcmin=8.0, page_rows=40)
    fakes.vizier.most_rows = 7
    assert await download(tmp_path / "cut.csv", urls=urls, min_d25_arcmin=8.0, page_rows=40) == whole
    assert (tmp_path / "cut.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


async def test_multiple_systems_are_left_out_of_the_catalogue(fakes: FakeSky, tmp_path: Path) -> None:
    fakes.vizier.newest = 3_000_000
    await download(tmp_path / "pgc.csv", urls=tuple(fakes.urls["vizier_urls"]), min_d25_arcmin=1.8)
    catalogue = operator_file.load(tmp_path / "pgc.csv")
    assert catalogue.row_of(2999999) is not None
    assert catalogue.row_of(2999998) is None


async def test_a_broken_download_leaves_the_old_file_alone(fakes: FakeSky, tmp_path: Path) -> None:
    path = tmp_path / "pgc.csv"
    path.write_text("pgc,ra,dec\n1,2,3\n", encoding="utf-8")
    fakes.vizier.faults_next = [None, "html"]
    with pytest.raises(errors.UpstreamBroken):
        await download(path, urls=tuple(fakes.urls["vizier_urls"]), min_d25_arcmin=8.0, page_rows=40)
    assert path.read_text(encoding="utf-8") == "pgc,ra,dec\n1,2,3\n"
    assert [one.name for one in tmp_path.iterdir()] == ["pgc.csv"]  # noqa: ASYNC240 - nothing else runs


async def test_another_format_than_csv_is_refused_before_anything_is_asked(fakes: FakeSky, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="CSV"):
        await download(tmp_path / "pgc.parquet", urls=tuple(fakes.urls["vizier_urls"]))
    assert fakes.calls == {}
