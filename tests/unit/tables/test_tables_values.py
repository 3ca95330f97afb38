"""Cells as values: any number that a program writes is that number, and what stands for nothing is nothing."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import BadTarget
from gateway.core.numbers import number
from gateway.sky.positions import parse_position
from gateway.tables.cells import coordinates, values
from gateway.tables.header.units import Conversion, conversion

RA, DEC = conversion("ra", None, "ra"), conversion("dec", None, "dec")
floats = st.floats(allow_nan=False, allow_infinity=False)


def written(value: float) -> list[str]:
    """Write a number as programs do that keep all of its digits."""
    exponent = f"{value:.16e}"
    return [repr(value), f"{value:.17g}", f"{value:.18e}", exponent.upper(), exponent.replace("e", "D"), f" {value!r} "]


@given(floats)
def test_any_number_is_read_as_it_was_written(value: float) -> None:
    for text in written(value):
        assert number(text.strip()) == value
    assert number(repr(value).replace("-", "\N{MINUS SIGN}")) == value
    if "e" not in repr(value):
        assert number(repr(value).replace(".", ",")) == value


@given(st.floats(0, 360, exclude_max=True), st.floats(-90, 90))
def test_a_position_is_the_same_in_any_notation_of_its_numbers(ra: float, dec: float) -> None:
    for first, second in zip(written(ra), written(dec), strict=True):
        found = coordinates.position((first.strip(),), (second.strip(),), RA, DEC)
        assert found is not None
        assert parse_position(*found) == pytest.approx((ra, dec), abs=1e-14, rel=0)


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 89), st.sampled_from(["", "+", "-"]))
def test_sexagesimal_is_hours_of_right_ascension_whatever_separates_it(
    hours: int, minutes: int, seconds: int, degrees: int, sign: str
) -> None:
    expected = (hours + minutes / 60 + seconds / 3600) * 15, (degrees + 0.5) * (-1 if sign == "-" else 1)
    ras = [f"{hours:02}{a}{minutes:02}{b}{seconds:02}{c}" for a, b, c in ("::.", "hms", "   ", "\u02b0\u1d50\u02e2")]
    ras = [text.replace(".", "") for text in ras]
    decs = [
        f"{sign}{degrees:02}{a}30{b}00{c}"
        for a, b, c in (":: ", "dms", "   ", "\N{DEGREE SIGN}\N{PRIME}\N{DOUBLE PRIME}")
    ]
    for ra, dec in zip(ras, decs, strict=True):
        found = coordinates.position((ra.strip(),), (dec.strip(),), RA, DEC)
        assert found is not None
        assert parse_position(*found) == pytest.approx(expected, abs=1e-9)
    parts = coordinates.position(
        (str(hours), str(minutes), str(seconds)), (sign, str(degrees), "30", "0"), RA, DEC, signed=True
    )
    assert parts is not None
    assert parse_position(*parts) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("ra", "dec", "expected"),
    [
        ("0.71231h", "41.26875", (10.68465, 41.26875)),
        ("10.684708 deg", "41.26875\N{DEGREE SIGN}", (10.684708, 41.26875)),
        ("10d41m04.9s", "41d16m07.5s", (10.684694, 41.26875)),
        ("004244.33", "+411607.5", (10.684708, 41.26875)),
        ("00 42 44.33", "-00 16 07", (10.684708, -0.268611)),
    ],
)
def test_positions_with_units_are_what_they_say(ra: str, dec: str, expected: tuple[float, float]) -> None:
    found = coordinates.position((ra,), (dec,), RA, DEC)
    assert found is not None
    assert parse_position(*found) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("ra", "dec", "words"),
    [
        ("370.68", "41", "370.68 deg, not within 0 to 360"),
        ("-349.3", "41", "not within 0 to 360"),
        ("10", "91", "not within -90 to 90"),
        ("10", "", "Both"),
        ("x", "1", "can't be read"),
        ("1" * 5000, "1", "can't be read"),
    ],
)
def test_a_position_out_of_range_is_the_row_s_problem(ra: str, dec: str, words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        coordinates.position((ra,), (dec,), RA, DEC)


def test_a_sexagesimal_cell_of_a_column_in_degrees_is_not_guessed_at() -> None:
    with pytest.raises(BadTarget, match="hours or degrees can't be told"):
        coordinates.position(("10:41:04",), ("41:16:07",), conversion("ra", "deg", "ra"), DEC)
    in_degrees = coordinates.position(("10:41:04.8",), ("41:16:07",), conversion("ra", "d:m:s", "ra"), DEC)
    assert in_degrees is not None
    assert parse_position(*in_degrees)[0] == pytest.approx(10.684667, abs=1e-5)


@pytest.mark.parametrize("nothing", [("", ""), ("-999", "-999"), ("-99.0", "-99.0"), ("-9999", "999.9")])
def test_sentinels_are_no_position(nothing: tuple[str, str]) -> None:
    assert coordinates.position((nothing[0],), (nothing[1],), RA, DEC) is None


@given(st.integers(1, 9_999_999))
def test_a_pgc_number_is_the_same_in_every_catalogue_s_spelling(number: int) -> None:
    spellings = [f"{number}", f"{number}.0", f"PGC{number}", f"PGC {number:07}", f"LEDA   {number}", f"pgc_{number}"]
    spellings += [f"{number:,}", f"{float(number):.18e}", f"{number:010}", f"+{number}"]
    assert {values.pgc(text) for text in spellings} == {number}


@pytest.mark.parametrize("text", ["0", "-1", "-99", "-9999", "-1.0", "-2147483648"])
def test_numbers_that_no_galaxy_has_are_none(text: str) -> None:
    assert values.pgc(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2557.5", "not a whole number"),
        ("99999999999", "larger than"),
        ("1.23457e+06", "fewer digits"),
        ("1e3", "fewer digits"),
        ("NGC 224", "not a whole number"),
        ("2557/2558", "not a whole number"),
        ("9" * 5000, "not a whole number"),
    ],
)
def test_what_is_no_pgc_number_is_not_taken_for_another_galaxy(text: str, words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        values.pgc(text)


@pytest.mark.parametrize(
    "cell",
    ["", "nan", "NaN", "NULL", "None", "N/A", "--", "---", "...", "INDEF", "?", "<NA>", None, math.nan, b"  ", "\0"],
)
def test_cells_that_stand_for_nothing_are_empty(cell: object) -> None:
    assert values.text_of(cell) == ""


@pytest.mark.parametrize("text", ["17", "1.0", "True", "f", "-99", "1237653665258930303"])
def test_a_number_or_a_truth_value_names_no_galaxy(text: str) -> None:
    assert values.name(text) is None


def test_numbers_below_the_name_of_a_catalogue_are_names() -> None:
    assert values.name("224", "NGC") == "NGC 224"
    assert values.name("0224A", "NGC") == "NGC 224A"
    assert values.name("NGC 224", "NGC") == "NGC 224"
    assert values.name("097-013", "ESO") == "ESO 097-013"
    assert values.name("0", "NGC") is None


@pytest.mark.parametrize("text", ["-999", "999", "-99", "-99.9", "1e20", "400"])
def test_what_is_no_position_angle_is_left_out_and_said(text: str) -> None:
    value, said = values.position_angle(text, Conversion())
    assert value is None
    assert text in said


def test_angles_and_fields_of_view_are_read_with_their_units() -> None:
    assert values.position_angle("-45", Conversion()) == (-45.0, "")
    assert values.position_angle("0", Conversion()) == (0.0, "")
    assert values.field_of_view("4'", Conversion())[0] == pytest.approx(4)
    assert values.field_of_view('240"', Conversion())[0] == pytest.approx(4)
    for nothing in ("0", "-1", "-99", "999"):
        assert values.field_of_view(nothing, Conversion())[0] is None
    with pytest.raises(BadTarget, match="not a number"):
        values.field_of_view("1,500", Conversion())


@given(st.text(max_size=40))
def test_any_cell_is_a_value_or_a_problem(text: str) -> None:
    cell = values.text_of(text)
    number(cell)
    values.name(cell)
    with suppress(BadTarget):
        assert (values.pgc(cell) or 1) > 0
    with suppress(BadTarget):
        coordinates.position((cell,), (cell,), RA, DEC)
