"""Real galaxies from the archives, faked over real HTTP: found, fetched, made pictures, and taken up again."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from batch.errors import BatchError, BatchStopped
from gateway.images.decode import decode
from gateway.sky.http.retry_policy import RetryPolicy
from tests.support.sdss_fakes import Disc, FakeArchiveServer, FakeSqlSearch, ObservedSky, SdssField, Star
from tests.support.sky_services import FakeSkyServer
from training import __main__ as cli
from training.data.download import run
from training.data.download.sources import Sources, Wanted
from training.data.label_tables import CatalogueFacts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

pytestmark = pytest.mark.slow

RA, DEC, PA = 150.0, 20.0, 40.0
EAST = 1 / 3600 / math.cos(math.radians(DEC))
GALAXY = {7: CatalogueFacts(RA, DEC, d25_arcmin=0.4, position_angle_deg=PA)}
COADD = Wanted(cutouts=False, side=64)


class Archives:
    """The three services, and how a test points a download at them."""

    def __init__(self) -> None:
        self.survey = ObservedSky(
            fields=[SdssField(100, 1, n, RA + east * 32 * EAST, DEC) for n, east in ((10, -1), (11, 0), (12, 1))],
            things=[Disc(RA, DEC, PA), Star(RA + 8 * EAST, DEC + 3 / 3600)],
        )
        self.cutouts = FakeSkyServer()
        self.cutouts.canned = True
        self.search = FakeSqlSearch(self.survey)
        self.frames = FakeArchiveServer(self.survey)
        self.all = (self.cutouts, self.search, self.frames)

    @property
    def sources(self) -> Sources:
        return Sources(
            cutout_urls=(self.cutouts.url + "/dr{release}/SkyServerWS/ImgCutout/getjpeg",),
            search_urls=(self.search.url + "/dr{release}/SkyServerWS/SearchTools/SqlSearch",),
            frame_urls=(self.frames.url + "/sas/dr17/eboss/photoObj/frames",),
            contact="someone@example.org",
            calls_per_s=0.0,
            manners=RetryPolicy(backoff_s=0.001, attempts=2, circuit_rest_s=0.001),
            patience_s=0.01,
        )

    def download(
        self, folder: Path, facts: dict[int, CatalogueFacts] | None = None, wanted: Wanted = COADD, **changes: Any
    ) -> dict[str, dict[str, str]]:
        """Download, and return what ``download.csv`` says of each key."""
        targets, _ = run.galaxies(facts or GALAXY)
        again = changes.pop("again", False)
        sources = replace(self.sources, **changes)
        run.download(folder, targets, sources, wanted, Console(file=io.StringIO()), again=again)
        return said(folder)

    def asked(self) -> list[str]:
        """The files that were asked for, and forget them."""
        names = [request.path.rpartition("/")[2] for service in self.all for request in service.requests]
        for service in self.all:
            service.requests.clear()
        return names


def said(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "download.csv").open(newline="") as rows:
        return {row["key"]: row for row in csv.DictReader(rows)}


@pytest.fixture
def archives() -> Iterator[Archives]:
    found = Archives()
    with found.cutouts, found.search, found.frames:
        yield found
    assert not [complaint for service in found.all for complaint in service.complaints]


def pixels(path: Path) -> NDArray[np.float64]:
    return decode(path.read_bytes()).rgb.astype(float)


def test_every_galaxy_gets_the_surveys_picture_and_one_of_its_own_making(archives: Archives, tmp_path: Path) -> None:
    rows = archives.download(tmp_path, wanted=replace(COADD, cutouts=True))
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    made = {f"pgc7_{kind}" for kind in ("sdss.jpg", "gri.png", "g.png", "r.png", "i.png")}
    assert names == made | {"download.csv"}
    assert not list((tmp_path / "frames").iterdir())
    assert {pixels(tmp_path / name).shape for name in made if name.endswith(".png")} == {(64, 64, 3)}
    cutout, coadd = rows["PGC 7 cutout"], rows["PGC 7 coadd"]
    assert (cutout["files"], coadd["files"].split()[0]) == ("pgc7_sdss.jpg", "pgc7_gri.png")
    assert (cutout["image_source"], cutout["fov_arcmin"], cutout["turned_deg"]) == (
        "SDSS DR18",
        "0.6",
        "40.0",
    )
    assert (coadd["exposures"], coadd["coverage"], coadd["problem"]) == ("3", "1.0", "")


def test_the_major_axis_lies_along_the_rows_and_a_star_where_it_belongs(archives: Archives, tmp_path: Path) -> None:
    archives.download(tmp_path)
    light = pixels(tmp_path / "pgc7_r.png")[..., 0]
    scale = 0.6 * 60 / 64
    # along the direction that comes to lie on the rows, and upwards across it
    along = 8 * math.cos(math.radians(PA - 90)) * -1 + 3 * math.sin(math.radians(PA - 90))
    above = 8 * math.sin(math.radians(PA - 90)) + 3 * math.cos(math.radians(PA - 90))
    column, row = 31.5 + along / scale, 31.5 - above / scale
    near = light[round(row) - 4 : round(row) + 5, round(column) - 4 : round(column) + 5]
    peak = np.unravel_index(near.argmax(), near.shape)
    assert abs(float(peak[0]) - 4) <= 1
    assert abs(float(peak[1]) - 4) <= 1
    disc = np.clip(light - np.percentile(light, 70), 0, None)
    disc[round(row) - 6 : round(row) + 7, round(column) - 6 : round(column) + 7] = 0
    y, x = np.mgrid[:64, :64] - 31.5
    assert (disc * x**2).sum() > 2 * (disc * y**2).sum()
    assert abs((disc * x * y).sum()) < 0.2 * (disc * x**2).sum()


def test_what_was_fetched_is_not_asked_for_again(archives: Archives, tmp_path: Path) -> None:
    wanted = replace(COADD, cutouts=True)
    archives.download(tmp_path, wanted=wanted)
    assert len(archives.asked()) == 1 + 1 + 3 * 3
    archives.download(tmp_path, wanted=wanted)
    assert archives.asked() == []
    (tmp_path / "pgc7_sdss.jpg").unlink()
    archives.download(tmp_path, wanted=wanted)
    assert archives.asked() == ["getjpeg"]


def test_a_table_that_has_grown_is_asked_for_its_new_galaxies_alone(archives: Archives, tmp_path: Path) -> None:
    archives.download(tmp_path)
    archives.asked()
    rows = archives.download(tmp_path, GALAXY | {8: CatalogueFacts(RA, DEC, d25_arcmin=0.3)})
    assert rows.keys() == {"PGC 7 coadd", "PGC 8 coadd"}
    assert len(archives.asked()) == 1 + 3 * 3
    with pytest.raises(BatchError, match="its side is 64, not 32"):
        archives.download(tmp_path, wanted=replace(COADD, side=32))


def test_an_interrupted_download_goes_on_from_the_frames_it_has(archives: Archives, tmp_path: Path) -> None:
    archives.frames.faults_next = [None] * 4
    archives.frames.fault = "503"
    with pytest.raises(BatchStopped, match="The Science Archive Server failed with status 503"):
        archives.download(tmp_path)
    first = set(archives.asked())
    kept = {path.name for path in (tmp_path / "frames" / "pgc7").iterdir()}
    assert len(kept) == 4
    archives.frames.fault = None
    archives.download(tmp_path)
    again = archives.asked()
    assert kept <= first
    assert kept.isdisjoint(again)
    assert len([name for name in again if name.startswith("frame-")]) == 5
    assert (tmp_path / "pgc7_gri.png").is_file()


def test_what_the_survey_does_not_have_is_asked_for_once(archives: Archives, tmp_path: Path) -> None:
    archives.cutouts.canned = False
    nowhere = {9: CatalogueFacts(80.0, 0.0, d25_arcmin=0.4)}
    wanted = replace(COADD, cutouts=True)
    rows = archives.download(tmp_path, nowhere, wanted)
    assert rows["PGC 9 coadd"]["problem"] == "The survey has no exposure of PGC 9."
    assert "SDSS DR18 has no image" in rows["PGC 9 cutout"]["problem"]
    assert len(archives.asked()) == 2
    archives.download(tmp_path, nowhere, wanted)
    assert archives.asked() == []
    archives.download(tmp_path, nowhere, wanted, again=True)
    assert len(archives.asked()) == 2


def test_a_broken_frame_is_a_problem_of_one_galaxy_and_is_tried_again_next_time(
    archives: Archives, tmp_path: Path
) -> None:
    def problems() -> list[str]:
        rows = archives.download(tmp_path, {7: GALAXY[7], 8: CatalogueFacts(RA, DEC, d25_arcmin=0.3)}, frames_at_once=1)
        return [row["problem"] for row in rows.values()]

    archives.frames.faults_next = ["truncated"]
    broken, good = problems()
    assert broken.startswith("The Science Archive Server answered with ")
    assert good == ""
    for fault in ("html", "wrong_type"):
        archives.frames.faults_next = [fault]
        assert problems()[0] != ""
        assert not (tmp_path / "pgc7_gri.png").exists()
    archives.asked()
    assert problems() == ["", ""]
    assert sum(name.startswith("frame-") for name in archives.asked()) == 9


def test_a_lost_frame_is_named_and_no_hole_is_shown(archives: Archives, tmp_path: Path) -> None:
    archives.frames.lost = {"frame-r-000100-1-0011.fits.bz2"}
    assert "status 404" in archives.download(tmp_path)["PGC 7 coadd"]["problem"]
    del archives.survey.fields[1:]
    row = archives.download(tmp_path)["PGC 7 coadd"]
    assert row["problem"].startswith("The exposures cover ")
    assert row["problem_type"] == "no-picture", "and is not asked for again"
    assert not list(tmp_path.glob("*.png"))


def test_an_archive_that_asks_for_patience_is_given_it(archives: Archives, tmp_path: Path) -> None:
    archives.search.faults_next = ["rate_limited"]
    archives.search.retry_after = "0"
    archives.download(tmp_path)
    assert (tmp_path / "pgc7_gri.png").is_file()
    assert len(archives.search.requests) == 2


def test_the_archives_are_asked_politely(archives: Archives, tmp_path: Path) -> None:
    archives.frames.delay_s = 0.02
    archives.download(tmp_path, {pgc: CatalogueFacts(RA, DEC, d25_arcmin=0.3) for pgc in range(1, 4)})
    assert archives.frames.most_at_once <= 2
    assert archives.search.most_at_once == 1
    agents = {
        request.headers["user-agent"] for service in (archives.search, archives.frames) for request in service.requests
    }
    assert agents == {"inclinet/0 (+someone@example.org)"}


def test_a_field_across_the_first_hour_is_found_on_both_sides(archives: Archives, tmp_path: Path) -> None:
    wide = 1 / 3600
    archives.survey.fields[:] = [
        SdssField(5, 2, n, (east * 40 * wide) % 360, 0.0) for n, east in ((1, -1), (2, 0), (3, 1))
    ]
    archives.survey.things[:] = [Disc(0.0, 0.0, 90.0)]
    row = archives.download(tmp_path, {3: CatalogueFacts(0.0, 0.0, d25_arcmin=0.4)})["PGC 3 coadd"]
    assert (row["problem"], row["exposures"]) == ("", "3")


def test_near_a_pole_all_right_ascensions_are_searched(archives: Archives, tmp_path: Path) -> None:
    archives.survey.fields[:] = [SdssField(5, 2, 1, 200.0, 89.99, shape=(300, 300))]
    row = archives.download(tmp_path, {3: CatalogueFacts(20.0, 89.995, d25_arcmin=0.2)})["PGC 3 coadd"]
    assert row["problem"] != "The survey has no exposure of PGC 3."
    assert "ra" not in archives.search.requests[0].query["cmd"].split("WHERE")[1]


def test_the_command_downloads_what_a_table_names(archives: Archives, tmp_path: Path) -> None:
    table = tmp_path / "targets.csv"
    table.write_text(f"pgc,ra,dec,d25,pa\n7,{RA},{DEC},0.4,{PA}\n8,{RA},{DEC},,\n")
    sources = archives.sources
    urls = [
        "--cutout-url",
        sources.cutout_urls[0],
        "--search-url",
        sources.search_urls[0],
        "--frame-url",
        sources.frame_urls[0],
    ]
    arguments = ["download", "--table", str(table), "--out", str(tmp_path / "out"), "--side", "64", *urls]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert "1 galaxies without position or size are left out" in result.output
    assert "2 done, 0 with a problem" in result.output


def test_the_command_ends_with_a_sentence_when_an_archive_is_down(archives: Archives, tmp_path: Path) -> None:
    (tmp_path / "targets.csv").write_text(f"pgc,ra,dec,d25\n7,{RA},{DEC},0.4\n")
    archives.search.fault = "503"
    archives.search.retry_after = "0"
    urls = ["--search-url", archives.sources.search_urls[0], "--no-cutouts", "--patience", "0"]
    arguments = ["download", "--table", str(tmp_path / "targets.csv"), "--out", str(tmp_path / "out"), *urls]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 1
    assert "SkyServer failed with status 503. The same command goes on from here." in result.stderr
