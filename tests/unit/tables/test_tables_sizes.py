"""Columns that say how large a galaxy is, and the field of view that follows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from gateway.core.field_of_view import FIELD_IN
from gateway.tables.cells.rows import question
from gateway.tables.header.columns import recognise
from gateway.tables.header.size_columns import SIZES, find
from gateway.tables.table import Field


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("D25", "d25"),
        ("DIAM", "d25"),
        ("d25 (arcmin)", "d25"),
        ("radius", "radius"),
        ("R25_arcsec", "radius"),
        ("petroRad_r", "petrosian"),
        ("PETRO_THETA", "petrosian"),
        ("petroR50_r", "half_light"),
        ("shape_r", "half_light"),
        ("R_e", "half_light"),
        ("half_light_radius", "half_light"),
    ],
)
def test_a_size_is_known_in_the_spellings_of_the_catalogues(header: str, role: str) -> None:
    assert find([Field("ra"), Field("dec"), Field(header)]) == {role: header}


@pytest.mark.parametrize(
    "field",
    [
        Field("e_D25"),
        Field("petroR90_r"),
        Field("shape_r_ivar"),
        Field("FLUX_RADIUS", "float", "pix"),
        Field("r"),
        Field("logd25"),
        Field("radius", "float", "kpc"),
    ],
)
def test_what_is_no_size_on_the_sky_is_none(field: Field) -> None:
    assert find([field]) == {}


def test_of_several_bands_the_red_one_is_taken() -> None:
    assert find([Field("petroRad_g"), Field("petroRad_r"), Field("petroRad_i")]) == {"petrosian": "petroRad_r"}


def test_sizes_are_read_where_they_are_asked_for_and_not_before() -> None:
    fields = [Field("ra"), Field("dec"), Field("D25"), Field("r_e", "float", "arcsec")]
    assert not set(SIZES) & set(recognise(fields).uses)
    reading = recognise(fields, find(fields))
    assert {"d25", "half_light"} <= set(reading.uses)
    assert "d25: D25 (arcmin)" in reading.sentences()[0]


@pytest.mark.parametrize(
    ("cells", "fov"),
    [
        ({"fov": "3", "D25": "1", "r_e": "5"}, 3.0),
        ({"D25": "1", "r_e": "5"}, 1.5),
        ({"D25": "-999", "r_e": "6"}, 6 / 60 * FIELD_IN["half_light"]),
        ({"D25": "", "r_e": "0"}, None),
    ],
)
def test_the_first_size_that_a_row_has_is_its_field(cells: dict[str, str], fov: float | None) -> None:
    fields = [Field("ra"), Field("dec"), Field("fov"), Field("D25"), Field("r_e", "float", "arcsec")]
    row = question(0, {"ra": "1", "dec": "2", **cells}, recognise(fields, find(fields)))
    assert row.target is not None
    assert row.target.fov_arcmin == (None if fov is None else pytest.approx(fov))


def test_the_factors_are_those_of_freeman_s_disc() -> None:
    def light(radius: float) -> float:
        return float(quad(lambda r: r * np.exp(-r), 0, radius)[0])

    def petrosian_ratio(radius: float) -> float:
        ring = light(1.25 * radius) - light(0.8 * radius)
        area = (1.25**2 - 0.8**2) * radius**2
        return ring / area / (light(radius) / radius**2)

    isophote = (25 - 21.65) / (2.5 / np.log(10))
    half = brentq(lambda r: light(r) - 0.5 * light(100), 0.1, 10)
    petrosian = brentq(lambda r: petrosian_ratio(r) - 0.2, 1, 10)
    assert FIELD_IN["half_light"] == pytest.approx(3 * isophote / half, rel=0.01)
    assert FIELD_IN["petrosian"] == pytest.approx(3 * isophote / petrosian, rel=0.03)
    assert FIELD_IN["radius"] == 2 * FIELD_IN["d25"] == 3.0
