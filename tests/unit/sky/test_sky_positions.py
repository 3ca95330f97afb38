"""Positions as people write them."""

from __future__ import annotations

import pytest
from astropy.coordinates import Angle
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core import errors
from gateway.sky.positions import parse_position

M31 = (10.684583, 41.268972)


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        ("10.684583", "41.268972"),
        ("10.684583", "+41.268972"),
        ("00 42 44.3", "+41 16 08.3"),
        ("00:42:44.3", "41:16:08.3"),
        ("0h42m44.3s", "41d16m08.3s"),
        ("10d41m04.5s", "+41 16 08.3"),
        ("10°41\u203204.5\u2033", "+41 16.13833"),
        ("0 hours 42.73833 min", "41 deg 16' 08.3\""),
        ("00h42m44.3", "41 16 08.3 N"),
        ("J004244.3+411608.3", ""),
        ("2MASX J004244.3+411608.3", ""),
    ],
)
def test_every_usual_notation_is_read(ra: str, dec: str) -> None:
    assert parse_position(ra, dec) == pytest.approx(M31, abs=1e-4)


def test_a_southern_declination_just_below_zero_keeps_its_sign() -> None:
    assert parse_position("12 00 00", "-00 30 00") == pytest.approx((180.0, -0.5))
    assert parse_position("J120000-003000") == pytest.approx((180.0, -0.5))
    assert parse_position("180", "\N{MINUS SIGN}0.5") == (180.0, -0.5)


def test_a_full_turn_is_zero() -> None:
    assert parse_position("360", "0") == (0.0, 0.0)


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        ("361", "0"),
        ("-1", "0"),
        ("10", "90.1"),
        ("10", "-91"),
        ("25 00 00", "0"),
        ("10 61 00", "0"),
        ("10", ""),
        ("", ""),
        ("nan", "0"),
        ("10", "inf"),
        ("ten", "twenty"),
        ("1e400", "0"),
        ("12 30", "+95 00 00"),
        ("1" * 70, "0"),
        ("J0042+4116", ""),
        ("12:30m", "0"),
        ("12:30:", "0"),
        ("12.5 30", "0"),
        ("12 30.5 10", "0"),
        ("12 30 10 5", "0"),
        ("10", "-41 16 08 S"),
        ("10", "41 16 61"),
        ("10", "\u0664\u0661 16 08"),
    ],
)
def test_what_is_no_position_is_refused(ra: str, dec: str) -> None:
    with pytest.raises(errors.BadTarget):
        parse_position(ra, dec)


@given(st.floats(0, 360, exclude_max=True), st.floats(-90, 90))
def test_decimal_degrees_come_back_as_they_went_in(ra: float, dec: float) -> None:
    assert parse_position(f"{ra:.9f}", f"{dec:.9f}") == pytest.approx((round(ra, 9) % 360, dec), abs=2e-9)


@pytest.mark.parametrize("form", ["{}{} {} {}", "{}{}:{}:{}", "{}{}d{}m{}s", "{} {} {} {}", "{}{}\u00b0{}'{}\""])
@given(
    st.sampled_from(["", "+", "-"]),
    st.integers(0, 89),
    st.integers(0, 59),
    st.decimals(0, 59, places=3).map(str),
)
def test_sexagesimal_declinations_are_read_as_astropy_reads_them(
    form: str, sign: str, degrees: int, minutes: int, seconds: str
) -> None:
    text = form.format(sign, degrees, minutes, seconds).strip()
    assert parse_position("0", text)[1] == pytest.approx(float(Angle(text, unit="deg").degree), abs=1e-11)


@pytest.mark.parametrize("written", ["{:.18e}", "{:g}", "{!r}", "{:.12E}", "+{:.12e}"])
@given(st.floats(0, 359), st.floats(0, 89))
def test_a_number_is_degrees_whatever_program_wrote_it(written: str, ra: float, dec: float) -> None:
    expected = float(written.format(ra)), float(written.format(dec))
    assert parse_position(written.format(ra), written.format(dec)) == expected
    fortran = written.format(ra).replace("e", "D").replace("E", "D")
    if "." in fortran.partition("D")[0]:
        assert parse_position(fortran, written.format(dec)) == expected


@settings(max_examples=50)
@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_read_or_refused_and_nothing_else(ra: str, dec: str) -> None:
    try:
        ra_deg, dec_deg = parse_position(ra, dec)
    except errors.BadTarget:
        return
    assert 0 <= ra_deg < 360
    assert -90 <= dec_deg <= 90
