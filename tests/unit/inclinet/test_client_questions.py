from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.io.votable import parse
from astropy.table import QTable, Table
from astropy.utils.masked import Masked
from PIL import Image

from gateway.images.decode import decode
from gateway.tables.reader import columns_of, read_table, records_of
from inclinet.http import questions

if TYPE_CHECKING:
    from pathlib import Path

GRADIENT = np.repeat(np.arange(96, dtype=np.uint8)[:, None] * 2, 96, axis=1)
"""Dark above, bright below."""


def test_positions_of_any_frame_are_asked_in_icrs_degrees() -> None:
    place = SkyCoord(339.267 * u.deg, 34.4156 * u.deg).galactic
    question = questions.by_position(place, fov=None)
    assert question.params == {"ra": "339.2670000", "dec": "34.4156000", "fov": None}
    assert question.request["params"] == {"ra": "339.2670000", "dec": "34.4156000"}
    with pytest.raises(TypeError, match="query_table"):
        questions.by_position(SkyCoord([1, 2] * u.deg, [3, 4] * u.deg))


def test_angles_need_their_unit() -> None:
    assert questions.in_unit(0.5 * u.deg, "arcmin") == 30.0
    assert questions.in_unit(None, "arcmin") is None
    with pytest.raises(TypeError, match="14 has no unit: write it as a Quantity"):
        questions.in_unit(14, "arcmin")
    with pytest.raises(u.UnitConversionError):
        questions.in_unit(3 * u.kg, "arcmin")


def test_names_are_asked_whatever_is_in_them() -> None:
    assert questions.by_name(" NGC 7331/2? ").path == "/api/objname/NGC%207331%2F2%3F"


def test_an_array_of_8_bits_is_the_picture_that_it_is() -> None:
    name, data = questions.picture(GRADIENT)
    assert name == "image.png"
    assert (np.asarray(Image.open(io.BytesIO(data))) == GRADIENT).all()


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.float16, np.int16, np.uint16])
@pytest.mark.parametrize("planes", [0, 3])
def test_measured_pixels_are_sent_as_such_and_the_right_way_up(kind: type[np.generic], planes: int) -> None:
    pixels = (GRADIENT if not planes else np.stack([GRADIENT] * planes, axis=2)).astype(kind)
    name, data = questions.picture(pixels)
    assert name == "image.fits"
    seen = decode(data).rgb.astype(int)
    assert seen.shape == (96, 96, 3)
    assert seen[-20:].mean() > seen[:20].mean() + 50, "dark above, bright below"


def test_images_come_as_people_have_them(tmp_path: Path) -> None:
    path = tmp_path / "galaxy.png"
    Image.fromarray(GRADIENT).save(path)
    data = path.read_bytes()
    assert questions.picture(path) == questions.picture(str(path)) == ("galaxy.png", data)
    assert questions.picture(data)[1] == questions.picture(bytearray(data))[1] == data
    assert questions.picture(io.BytesIO(data))[1] == data
    with Image.open(path) as image:
        assert questions.picture(image)[0] == "image.png"
    floats = GRADIENT.astype(np.float32)
    for hdu in (fits.PrimaryHDU(floats), fits.ImageHDU(floats), fits.HDUList([fits.PrimaryHDU(floats)])):
        assert decode(questions.picture(hdu)[1]).format == "FITS"
    for stranger in (3.0, None, [], [1, 2]):
        with pytest.raises(TypeError, match=r"is no image|Bands are HDUs"):
            questions.picture(stranger)
    for shape in ((5,), (4, 4, 2), (2, 2, 2, 2)):
        with pytest.raises(TypeError, match="not one of shape"):
            questions.picture(np.zeros(shape))


def test_bands_are_ordered_by_the_service() -> None:
    floats = GRADIENT.astype(np.float32)
    bands = {"i": 3 * floats, "g": floats, "r": 2 * floats}
    seen = decode(questions.picture(bands)[1])
    assert seen.part == "extensions i, r, g as red, green, blue"
    assert seen.rgb[-20:].mean() > seen.rgb[:20].mean() + 50.0, "dark above, bright below"
    hdus = [fits.PrimaryHDU(band, fits.Header({"FILTER": name})) for name, band in bands.items()]
    assert decode(questions.picture(hdus)[1]).part == seen.part


def test_several_files_are_sent_as_such_with_the_place_in_them(tmp_path: Path) -> None:
    path = tmp_path / "g.fits"
    path.write_bytes(b"g")
    hdus = fits.HDUList([fits.PrimaryHDU(np.zeros((4, 4)))])
    asked = questions.by_image([path, b"r", hdus], at="339.267 34.4156", bands=["g", "r", "i"], fov=None)
    names = [(field, name) for field, (name, _) in asked.body["files"]]
    assert names == [("file", "g.fits"), ("file", "image"), ("file", "image.fits")]
    assert asked.request["params"] == {"ra": "339.267", "dec": "34.4156", "bands": "g,r,i"}
    bands = [fits.PrimaryHDU(np.zeros((4, 4)), fits.Header({"FILTER": name})) for name in "gr"]
    assert len(questions.by_image(bands, at="M 31").body["files"]) == 1


@pytest.mark.parametrize(
    ("at", "params"),
    [
        ("339.267 34.4156", {"ra": "339.267", "dec": "34.4156"}),
        ("339.267, -34.4156", {"ra": "339.267", "dec": "-34.4156"}),
        ("22:37:04.1 +34:24:56", {"ra": "22:37:04.1", "dec": "+34:24:56"}),
        ("22h37m04.1s +34d24m56s", {"ra": "22h37m04.1s", "dec": "+34d24m56s"}),
        ("22 37 04.1 +34 24 56", {"ra": "22 37 04.1", "dec": "+34 24 56"}),
        (SkyCoord(10 * u.deg, -20 * u.deg), {"ra": "10.0000000", "dec": "-20.0000000"}),
        ("NGC 7331", {"name": "NGC 7331"}),
        (" 3C 273 ", {"name": "3C 273"}),
        ("J223704.1+342456", {"name": "J223704.1+342456"}),
        (None, {}),
    ],
)
def test_a_place_is_a_position_or_a_name(at: object, params: dict[str, str]) -> None:
    assert questions.place(at) == params


def test_several_places_are_no_place() -> None:
    with pytest.raises(TypeError, match="one SkyCoord"):
        questions.place(SkyCoord([10, 11] * u.deg, [20, 21] * u.deg))


def test_a_table_is_read_by_the_gateway_as_it_was_meant() -> None:
    asked = QTable(
        {
            "id": ["a", "b"],
            "place": SkyCoord([339.267, 24.174] * u.deg, [34.4156, 15.783] * u.deg).galactic,
            "fov": [14, 0.2] * u.arcmin,
            "pa": Masked([10.0, 20.0] * u.deg, mask=[False, True]),
        },
        # as written by others, and nothing to be told
        meta={"comments": ["x"], "object": object()},
    )
    name, data = questions.table_file(asked)
    assert name == "table.vot"
    table = read_table(data)
    reading = columns_of(table)
    first, second = records_of(table, reading.columns)
    assert {role: use["column"] for role, use in reading.as_json()["columns"].items()} == {
        "key": "id", "ra": "ra", "dec": "dec", "fov": "fov", "pa": "pa",
    }  # fmt: skip
    assert float(first["ra"]) == pytest.approx(339.267)
    assert float(second["dec"]) == pytest.approx(15.783)
    with pytest.raises(TypeError, match="dict is no table"):
        questions.table_file({"ra": [1]})


@pytest.mark.parametrize("ending", [".vot", ".fits", ".ecsv", ".csv"])
def test_tables_are_written_as_the_ending_says(ending: str, tmp_path: Path) -> None:
    table = QTable({"name": ["NGC 1", ""], "d25": Masked([1.0, 2.0] * u.arcmin, mask=[False, True])})
    table["d25"].info.description = "Major diameter"
    path = tmp_path / f"table{ending}"
    path.write_bytes(questions.table_bytes(table, ending))
    read = Table.read(path)
    assert read["d25"][0] == 1.0
    assert np.ma.is_masked(read["d25"][1]) or np.isnan(read["d25"][1])
    if ending == ".vot":
        assert parse(path).get_first_table().get_field_by_id("d25").description == "Major diameter"
    with pytest.raises(ValueError, match=r"Nothing is known of tables in \.doc"):
        questions.table_bytes(table, ".doc")
