"""From a galaxy to its picture, with both cutout services faked over real HTTP."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from gateway.core import errors
from gateway.core.models import Galaxy
from gateway.images.decode import decode
from gateway.images.model_input import model_input
from tests.support.sky_client import soon

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sky import Sky
    from tests.support.sky_fakes import FakeSky
    from tests.support.sky_http import Fault

INSIDE = Galaxy(235.5, 52.5, name="UGC 9999X", pgc=2999999, d25_arcmin=1.9, axis_ratio=0.35, position_angle_deg=40.0)
SOUTH = Galaxy(189.9976, -11.6231, name="NGC 4594", pgc=42407, d25_arcmin=8.45, position_angle_deg=90.0)


def light(data: bytes) -> tuple[float, float]:
    """Axis ratio and direction (degrees from the rows) of the light, by second moments."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("L"), float)
    pixels = np.clip(pixels - np.percentile(pixels, 75), 0, None)
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(float)
    x -= (x * pixels).sum() / pixels.sum()
    y = (y * pixels).sum() / pixels.sum() - y
    xx, yy, xy = ((a * pixels).sum() for a in (x * x, y * y, x * y))
    wide, narrow = np.linalg.eigvalsh([[xx, xy], [xy, yy]])[::-1]
    return float(np.sqrt(narrow / wide)), float(np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)))


async def test_a_cutout_takes_one_call_for_one_and_a_half_diameters(sky: Sky, fakes: FakeSky) -> None:
    plain = replace(INSIDE, position_angle_deg=None)
    cutout = await sky.cutouts.fetch(plain, deadline=soon())
    (request,) = fakes.skyserver.requests
    assert request.path == "/dr18/SkyServerWS/ImgCutout/getjpeg"
    side = int(request.query["width"])
    assert float(request.query["scale"]) * side / 60 == pytest.approx(1.5 * 1.9, rel=1e-3)
    assert side == 256
    assert (cutout.survey, cutout.position_angle_deg) == ("SDSS DR18", None)
    assert cutout.fov_arcmin == pytest.approx(2.85)
    assert Image.open(io.BytesIO(cutout.data)).size == (side, side)


async def test_the_major_axis_lies_along_the_rows_when_the_angle_is_known(sky: Sky) -> None:
    cutout = await sky.cutouts.fetch(INSIDE, deadline=soon())
    assert cutout.position_angle_deg == 40.0
    ratio, direction = light(cutout.data)
    assert abs(direction) < 4
    assert ratio < 0.6
    image = Image.open(io.BytesIO(cutout.data))
    assert image.width == image.height == 256


async def test_north_stays_up_and_east_left_when_it_is_not(sky: Sky) -> None:
    cutout = await sky.cutouts.fetch(replace(INSIDE, position_angle_deg=None), deadline=soon())
    # 40 deg from north (up) through east (left) is 130 deg counter-clockwise from the rows, that is -50.
    assert light(cutout.data)[1] == pytest.approx(-50, abs=4)


async def test_the_asked_angle_and_field_prevail(sky: Sky, fakes: FakeSky) -> None:
    cutout = await sky.cutouts.fetch(INSIDE, fov_arcmin=4.0, position_angle_deg=220.0, deadline=soon())
    assert (cutout.fov_arcmin, cutout.position_angle_deg) == (4.0, 40.0)
    (request,) = fakes.skyserver.requests
    asked = float(request.query["scale"]) * int(request.query["width"]) / 60
    assert asked == pytest.approx(4.0 * 1.409, rel=0.01)


@pytest.mark.parametrize("d25", [0.05, 0.5, 5.0, 60.0, 180.0])
async def test_every_size_stays_within_the_service_s_limits(sky: Sky, d25: float) -> None:
    # The fake complains about anything beyond 64..2048 pixels and 0.015..2400 arcsec a pixel.
    cutout = await sky.cutouts.fetch(replace(INSIDE, d25_arcmin=d25, position_angle_deg=45.0), deadline=soon())
    assert 128 <= Image.open(io.BytesIO(cutout.data)).width <= 256


async def test_a_small_galaxy_is_not_asked_for_finer_than_the_survey_sees(sky: Sky, fakes: FakeSky) -> None:
    await sky.cutouts.fetch(replace(INSIDE, d25_arcmin=0.8, position_angle_deg=None), deadline=soon())
    assert float(fakes.skyserver.requests[0].query["scale"]) == pytest.approx(0.396, abs=0.003)


async def test_preprocessing_takes_the_cutout_as_it_is(sky: Sky) -> None:
    cutout = await sky.cutouts.fetch(INSIDE, deadline=soon())
    assert model_input(decode(cutout.data).rgb).shape == (128, 128, 3)


@pytest.mark.parametrize("old_style", [False, True])
async def test_outside_the_footprint_the_surveys_that_cover_it_are_named(
    sky: Sky, fakes: FakeSky, *, old_style: bool
) -> None:
    fakes.skyserver.old_style = old_style
    with pytest.raises(errors.OutsideFootprint, match=r"SDSS DR18 has no image.*legacy, panstarrs, dss2") as told:
        await sky.cutouts.fetch(SOUTH, deadline=soon())
    assert told.value.extra == {"survey": "sdss", "surveys": ["legacy", "panstarrs", "dss2"]}
    assert len(fakes.skyserver.requests) == 1


async def test_far_outside_the_footprint_nobody_is_asked(sky: Sky, fakes: FakeSky) -> None:
    with pytest.raises(errors.OutsideFootprint) as told:
        await sky.cutouts.fetch(replace(SOUTH, dec_deg=-60.0), deadline=soon())
    assert told.value.extra["surveys"] == ["dss2"]
    assert fakes.calls == {}


@pytest.mark.parametrize("survey", ["legacy", "panstarrs", "dss2", "DSS2 "])
async def test_the_named_survey_is_asked_of_hips2fits(sky: Sky, fakes: FakeSky, survey: str) -> None:
    cutout = await sky.cutouts.fetch(SOUTH, survey=survey, deadline=soon())
    (request,) = fakes.hips2fits.requests
    assert request.query["hips"].startswith("CDS/P/")
    assert abs(light(cutout.data)[1]) < 10
    assert fakes.calls == {"hips2fits": 1}


async def test_an_empty_answer_of_hips2fits_is_outside_too(sky: Sky) -> None:
    with pytest.raises(errors.OutsideFootprint, match="SDSS DR9"):
        await sky.cutouts.fetch(SOUTH, survey="sdss9", deadline=soon())


async def test_data_release_and_default_survey_are_settings(fakes: FakeSky) -> None:
    async with fakes.opened(sdss_release=12) as sky:
        assert (await sky.cutouts.fetch(INSIDE, deadline=soon())).survey == "SDSS DR12"
    assert fakes.skyserver.requests[0].path.startswith("/dr12/")
    async with fakes.opened(default_survey="dss2") as sky:
        assert (await sky.cutouts.fetch(INSIDE, deadline=soon())).survey == "DSS2"


@pytest.mark.parametrize(
    ("picture", "words"),
    [("black", "is black"), ("blank", "one colour"), ("saturated", "saturated"), ("edge", "edge")],
)
@pytest.mark.parametrize("angle", [None, 40.0])
async def test_unusable_pictures_never_leave_here(
    sky: Sky, fakes: FakeSky, picture: str, words: str, angle: float | None
) -> None:
    fakes.skyserver.picture = picture
    with pytest.raises(errors.UnusableCutout, match=words) as told:
        await sky.cutouts.fetch(replace(INSIDE, position_angle_deg=angle), deadline=soon())
    assert told.value.extra["surveys"]
    assert len(fakes.skyserver.requests) == 1


@pytest.mark.parametrize("fault", ["html", "truncated", "wrong_type", "redirect_loop"])
async def test_what_is_no_image_is_told_as_502(sky: Sky, fakes: FakeSky, fault: Fault) -> None:
    fakes.skyserver.fault = fault
    with pytest.raises(errors.UpstreamBroken, match="SkyServer"):
        await sky.cutouts.fetch(INSIDE, deadline=soon())


async def test_an_image_of_another_size_is_no_answer(sky: Sky, fakes: FakeSky) -> None:
    fakes.skyserver.side = 100
    with pytest.raises(errors.UpstreamBroken, match="100 x 100 pixels"):
        await sky.cutouts.fetch(INSIDE, deadline=soon())


async def test_refusals_reach_the_user_with_when_to_come_back(sky: Sky, fakes: FakeSky) -> None:
    fakes.skyserver.fault, fakes.skyserver.retry_after = "rate_limited", "120"
    with pytest.raises(errors.UpstreamUnavailable, match="SkyServer") as told:
        await sky.cutouts.fetch(INSIDE, deadline=soon())
    assert told.value.retry_after_s == pytest.approx(120, abs=2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"survey": "hubble"}, "no survey 'hubble'"),
        ({"fov_arcmin": 0.01}, "field of view"),
        ({"fov_arcmin": 401.0}, "field of view"),
        ({"fov_arcmin": float("nan")}, "field of view"),
        ({"position_angle_deg": float("inf")}, "position angle"),
    ],
)
async def test_impossible_wishes_ask_nobody(sky: Sky, fakes: FakeSky, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(errors.BadTarget, match=words):
        await sky.cutouts.fetch(INSIDE, deadline=soon(), **changes)
    assert fakes.calls == {}


async def test_without_a_size_a_field_is_needed_and_with_one_it_is_not(sky: Sky) -> None:
    sizeless = replace(INSIDE, d25_arcmin=None)
    with pytest.raises(errors.BadTarget, match="UGC 9999X is not known: a field of view"):
        await sky.cutouts.fetch(sizeless, deadline=soon())
    assert (await sky.cutouts.fetch(sizeless, fov_arcmin=3.0, deadline=soon())).fov_arcmin == 3.0


async def test_kept_cutouts_need_no_network(fakes: FakeSky, tmp_path: Path) -> None:
    async with fakes.opened(cache_dir=tmp_path) as sky:
        before = await sky.cutouts.fetch(INSIDE, deadline=soon())
    fakes.skyserver.down()
    async with fakes.opened(cache_dir=tmp_path) as sky:
        assert await sky.cutouts.fetch(INSIDE, deadline=soon()) == before


async def test_many_who_ask_for_one_galaxy_cost_one_call(sky: Sky, fakes: FakeSky) -> None:
    fakes.skyserver.delay_s = 0.2
    cutouts = await asyncio.gather(*(sky.cutouts.fetch(INSIDE, deadline=soon()) for _ in range(20)))
    assert len({cutout.data for cutout in cutouts}) == 1
    assert fakes.calls == {"skyserver": 1}


async def test_no_request_makes_more_calls_than_it_needs(sky: Sky, fakes: FakeSky) -> None:
    needed = {
        "M 51": {"skyserver": 1},
        "PGC 2557": {"skyserver": 1},
        "UGC 9999X": {"sesame": 1, "hyperleda": 1, "skyserver": 1},
        "2MASX J08375604+3014526": {"sesame": 1, "simbad": 1, "skyserver": 1},
        "PGC 2999999": {"hyperleda": 1, "skyserver": 1},
    }
    for name, calls in needed.items():
        for fake in fakes.services.values():
            fake.requests.clear()
        galaxy = await sky.resolver.by_name(name, deadline=soon())
        await sky.cutouts.fetch(galaxy, deadline=soon())
        assert fakes.calls == calls
