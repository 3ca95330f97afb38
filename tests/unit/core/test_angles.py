"""Every notation of an angle means what it says, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import errors
from gateway.core.angles import sexagesimal, united
from gateway.core.numbers import LIKE
from gateway.sky.positions import parse_position
from gateway.tables.cells.coordinates import position
from gateway.tables.header.units import Conversion

RA_DEG, DEC_DEG = 10.684583333, 41.269166667
RIGHT_ASCENSIONS = (
    *("00 42 44.3", "00:42:44.3", "0h42m44.3s", "00H42M44.3S", "00h42m44s.3", "00h 42m 44s.3", "00hr 42min 44.3sec"),
    *("00:42:44,3", "00:42:44.3 hours", "00 42 44.3h", "10d41m04.5s", "10°41'04.5''", "10 41 04.5 deg"),
    *("10.684583333", "10,684583333", "10.684583333°", "10°.684583333", "+10.684583333"),
    *("0.712305556h", "0.7123055556 hours", "641.075'", "38464.5 arcsec", "0.18648116 rad"),
)
DECLINATIONS = (
    *("+41 16 09", "41:16:09", "+41d16m09s", "41° 16' 09\"", "41°16'09''", "41 16 09 N", "41deg 16arcmin 9arcsec"),
    *("41:16.15", "41°.269166667", "2476.15'", "148569 arcsec", "0.72028283 rad"),
    *("-41:16:09", "- 41 16 09", "41 16 09 S", "-41.269166667", "-41°16'09\""),
)
NOTHING = (
    *("00-42-44.3", "00h,42m,44.3s", "00:42:44.3:5", "00:42:-44.3", "00:61:00", "12h 30m deg", "h", ""),
    *("1.5:30", "12:30.5:10", "00:42:44.3e0", "10.68.45", "\N{ARABIC-INDIC DIGIT ONE}:20:30"),
)
PLAIN = Conversion(sexagesimal="h")


def cells(ra: str, dec: str) -> tuple[float, float]:
    """Return a position as the cells of a table are read and asked for."""
    found = position((ra,), (dec,), PLAIN, Conversion())
    assert found is not None
    return parse_position(*found)


@pytest.mark.parametrize("ra", RIGHT_ASCENSIONS)
def test_a_right_ascension_is_read_alike_by_itself_and_in_a_table(ra: str) -> None:
    for read in (parse_position, cells):
        assert read(ra, "41.269166667") == pytest.approx((RA_DEG, DEC_DEG), abs=1e-6)


@pytest.mark.parametrize("dec", DECLINATIONS)
def test_a_declination_is_read_alike_by_itself_and_in_a_table(dec: str) -> None:
    expected = -DEC_DEG if dec[0] == "-" or dec[-1] == "S" else DEC_DEG
    for read in (parse_position, cells):
        assert read("10.684583333", dec) == pytest.approx((RA_DEG, expected), abs=1e-6)


@pytest.mark.parametrize("sign", LIKE)
def test_the_signs_of_word_processors_are_those_of_a_keyboard(sign: int) -> None:
    plain = LIKE[sign]
    for text in (*RIGHT_ASCENSIONS, *DECLINATIONS):
        written = text.replace(plain, chr(sign)) if plain else f"{chr(sign)}{text}{chr(sign)}"
        for hours in (True, False):
            assert sexagesimal(written, hours=hours) == sexagesimal(text, hours=hours)
            assert united(written, hours=hours) == united(text, hours=hours)


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_angle_is_none(text: str) -> None:
    assert sexagesimal(text, hours=True) is None
    assert united(text) is None


def test_a_declination_is_never_in_hours() -> None:
    for read in (parse_position, cells):
        with pytest.raises(errors.BadTarget, match="declination"):
            read("10.684583333", "+3h16m09s")
        with pytest.raises(errors.BadTarget, match="declination"):
            read("10.684583333", "3.2h")


@given(st.text(alphabet="0123456789:.,+- hmsd°'\"NSe", max_size=14))
def test_a_table_reads_a_right_ascension_as_the_api_does_or_not_at_all(text: str) -> None:
    try:
        here = cells(text, "41.5")
    except errors.BadTarget:
        return
    assert here == pytest.approx(parse_position(text.strip(), "41.5"), abs=1e-6)
