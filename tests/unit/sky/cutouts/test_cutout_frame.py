"""Pictures that show nothing are recognised, and pictures are turned the right way."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gateway.sky.cutouts import frame
from gateway.sky.cutouts.frame import Fault
from gateway.sky.cutouts.surveys import SURVEYS, covering, galactic_latitude_deg, surely_outside
from tests.support import sky_painter
from tests.support.galaxies import SHARED, needs_galaxies
from tests.support.sky_services import troubled

CUT = {"pgc44182_gri.jpg", "pgc48307_gri.jpg", "pgc71866_gri.jpg"}


def through_jpeg(image: Image.Image) -> Image.Image:
    return frame.decode(sky_painter.jpeg(image))


def sky(side: int = 256) -> Image.Image:
    return sky_painter.drawn(0.5, 30.0, side)


@pytest.mark.parametrize(
    ("trouble", "fault"),
    [
        ("sky", None),
        ("black", Fault.BLACK),
        ("blank", Fault.BLANK),
        ("saturated", Fault.SATURATED),
        ("edge", Fault.EDGE),
    ],
)
@pytest.mark.parametrize("side", [128, 300, 512])
def test_each_trouble_is_recognised_after_jpeg(trouble: str, fault: Fault | None, side: int) -> None:
    assert frame.fault(through_jpeg(troubled(sky(side), trouble))) is fault


@pytest.mark.parametrize(
    "image", [sky_painter.outside(256), Image.new("RGB", (256, 256)), Image.new("RGB", (256, 256), "white")]
)
def test_a_place_without_sky_is_outside(image: Image.Image) -> None:
    assert frame.fault(through_jpeg(image)) is Fault.OUTSIDE


@given(st.integers(0, 3), st.floats(0.08, 0.45))
@settings(max_examples=25, deadline=None)
def test_an_edge_is_found_on_every_side(turns: int, part: float) -> None:
    pixels = np.array(sky(256))
    pixels[: int(256 * part)] = 0
    assert frame.fault(through_jpeg(Image.fromarray(np.rot90(pixels, turns)))) is Fault.EDGE


@needs_galaxies
def test_real_pictures_pass_and_those_with_cut_corners_do_not() -> None:
    cut = set()
    for path in sorted((SHARED / "giz512").glob("*_gri.jpg")):
        fault = frame.fault(frame.decode(path.read_bytes()))
        assert fault in {None, Fault.EDGE}, path.name
        if fault:
            cut.add(path.name)
    assert cut == CUT


@needs_galaxies
def test_hardly_any_efigi_picture_is_refused() -> None:
    paths = sorted((SHARED / "efigi").glob("*.jpg"))[::32]
    refused = [p.name for p in paths if frame.fault(frame.decode(p.read_bytes()).resize((256, 256)))]
    assert len(refused) <= len(paths) * 0.002, refused


def major_axis_deg(image: Image.Image) -> float:
    """Direction of the major axis by second moments, degrees counter-clockwise from the rows, -90..90."""
    light = np.asarray(image.convert("L"), float)
    light = np.clip(light - np.percentile(light, 60), 0, None)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]].astype(float)
    x -= (x * light).sum() / light.sum()
    y = (y * light).sum() / light.sum() - y
    xx, yy, xy = ((a * light).sum() for a in (x * x, y * y, x * y))
    return float(np.degrees(0.5 * np.arctan2(2 * xy, xx - yy)))


@given(st.floats(0, 180))
@settings(max_examples=20, deadline=None)
def test_the_major_axis_comes_to_lie_along_the_rows(angle: float) -> None:
    wide = int(np.ceil(200 * frame.bounding(angle))) + 2
    image = frame.turned(sky_painter.drawn(0.3, angle, wide), angle, 200)
    assert image.size == (200, 200)
    assert abs(major_axis_deg(image)) < 10


@given(st.floats(-360, 360))
def test_a_turned_picture_has_no_empty_corners(angle: float) -> None:
    side = 64
    wide = int(np.ceil(side * frame.bounding(angle))) + 2
    image = frame.turned(Image.new("RGB", (wide, wide), (90, 90, 90)), angle, side)
    assert np.asarray(image).min() >= 88


@pytest.mark.parametrize("cut", [0.5, 0.9, 0.999])
def test_a_truncated_picture_is_no_picture(cut: float) -> None:
    data = sky_painter.jpeg(sky())
    with pytest.raises(frame.NoImageError):
        frame.decode(data[: int(len(data) * cut)])


def test_formats_that_no_survey_sends_are_no_pictures() -> None:
    out = io.BytesIO()
    sky().save(out, "GIF")
    for data in (out.getvalue(), b"", b"<html>", b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(frame.NoImageError):
            frame.decode(data)


def test_encoding_loses_nothing_that_a_network_would_see() -> None:
    image = sky()
    small = (image.resize((128, 128), Image.Resampling.BOX), frame.decode(frame.encode(image)).resize((128, 128)))
    before, after = (np.asarray(one, float) for one in small)
    assert np.abs(after - before).mean() < 1


def test_galactic_latitudes_are_those_of_astropy() -> None:
    from astropy.coordinates import SkyCoord

    for ra, dec in ((0.0, 0.0), (192.86, 27.13), (266.4, -28.9), (83.8, -5.4)):
        assert galactic_latitude_deg(ra, dec) == pytest.approx(
            float(SkyCoord(ra, dec, unit="deg").galactic.b.deg), abs=0.01
        )


def test_surveys_are_suggested_where_they_have_pictures() -> None:
    assert covering(150.0, 30.0, but="sdss") == ["legacy", "panstarrs", "dss2"]
    assert covering(150.0, -60.0, but="sdss") == ["dss2"]
    assert covering(30.0, -45.0, but="legacy") == ["dss2"]
    assert covering(290.0, 20.0, but="dss2") == ["panstarrs"]


def test_only_what_is_certain_is_refused_unasked() -> None:
    assert surely_outside(SURVEYS["sdss"], -45.0)
    assert not surely_outside(SURVEYS["sdss"], -15.0)
    assert not surely_outside(SURVEYS["dss2"], -90.0)
