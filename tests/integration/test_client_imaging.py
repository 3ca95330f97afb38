"""The Python client and the command line with a user's own images of the sky, against the real gateway."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits

from inclinet import AsyncInclinet, Inclinet, errors
from tests.support.imaging import SkyDisc, plane, tile
from tests.support.live import live_gateway
from tests.support.sky_fakes import FakeSky

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NGC_7331 = SkyDisc(339.267, 34.4156, scale_arcsec=70, axis_ratio=0.4, position_angle_deg=170)
PLACE = SkyCoord(339.267 * u.deg, 34.4156 * u.deg).galactic


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    with FakeSky() as sky:
        mirrors: dict[str, Any] = {name: tuple(urls) for name, urls in sky.urls.items()}
        with live_gateway(**mirrors) as live:
            yield live.url


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, wcs = tmp_path_factory.mktemp("sky"), plane(339.25, 34.42, (600, 600), pixel_arcsec=2.0, turn_deg=12)
    for seed, band in enumerate("gri"):
        tile([NGC_7331], wcs, (600, 600), band=band, seed=seed).writeto(folder / f"{band}.fits")
    return [folder / f"{band}.fits" for band in "gri"]


def run(gateway: str, *words: object) -> tuple[int, str]:
    command = [sys.executable, "-m", "inclinet", "image", f"--url={gateway}", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "300"})
    return done.returncode, done.stdout + done.stderr


def test_a_galaxy_is_measured_in_files_by_its_place_or_its_name(gateway: str, paths: list[Path]) -> None:
    with Inclinet(gateway) as inclinet:
        placed = inclinet.query_image(paths, at=PLACE, fov=14 * u.arcmin, pa=170 * u.deg)
        named = inclinet.query_image([path.read_bytes() for path in paths], at="NGC 7331")
        hdus = [fits.PrimaryHDU(*fits.getdata(path, header=True)) for path in paths]
        at_once = inclinet.query_image(hdus, at=PLACE, fov=14 * u.arcmin, pa=170 * u.deg, bands=["g", "r", "i"])
    assert placed.image["bands"] == named.image["bands"] == ["i", "r", "g"]
    assert placed.image["fov_arcmin"] == 14
    assert named.galaxy is not None
    assert named.galaxy.pgc == 69327
    assert at_once.inclination == placed.inclination
    assert placed.picture is not None
    assert placed.picture.startswith(b"\x89PNG")


async def test_the_other_client_does_the_same(gateway: str, paths: list[Path]) -> None:
    async with AsyncInclinet(gateway) as inclinet:
        answer = await inclinet.query_image(paths[:1], at=PLACE, fov=14 * u.arcmin)
    assert answer.image["bands"] == ["g"]


def test_an_angle_needs_its_unit_and_a_problem_is_an_exception(gateway: str, paths: list[Path]) -> None:
    with Inclinet(gateway) as inclinet:
        with pytest.raises(TypeError, match="no unit"):
            inclinet.query_image(paths, at=PLACE, fov=14)
        with pytest.raises(errors.SkyImagesRefused, match="None of the images shows"):
            inclinet.query_image(paths, at="10 20", fov=14 * u.arcmin)


def test_the_command_line_takes_all_files_for_the_bands_of_one_galaxy(gateway: str, paths: list[Path]) -> None:
    code, said = run(gateway, *paths, "--at", "339.267 34.4156", "--fov=14", "--pa=170", "--bands=g,r,i", "--json")
    assert code == 0, said
    answer = json.loads(said)
    assert answer["image"]["bands"] == ["i", "r", "g"]
    assert answer["image"]["position_angle_deg"] == 170
    code, said = run(gateway, *paths, "--at=NGC 7331")
    assert (code, said.count("°")) == (0, 2)
    assert "NGC 7331" in said


def test_without_a_place_each_file_is_a_picture_of_its_own(gateway: str, paths: list[Path]) -> None:
    code, said = run(gateway, *paths, "--json")
    assert code == 0, said
    assert [one["image"]["width"] for one in json.loads(said)] == [600] * 3


def test_what_can_t_be_measured_is_told_in_its_line(gateway: str, paths: list[Path]) -> None:
    code, said = run(gateway, *paths, "--at=10 20", "--fov=14")
    assert code == 1
    assert "None of the images shows" in said
    code, said = run(gateway, *paths, paths[0].with_name("z.fits"), "--at=NGC 7331")
    assert code == 1
    assert "z.fits can't be read: No such file" in said
    code, said = run(gateway, *paths, "--fov=14")
    assert code == 1
    assert "need the galaxy too" in said
