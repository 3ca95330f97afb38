"""One spelling for each name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import errors
from gateway.sky.catalogues import designations


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NGC 224", "ngc0224"),
        ("M31", "Messier 31"),
        ("M 031", "m31"),
        ("LEDA 2557", "PGC0002557"),
        ("UGC 454", "UGC00454"),
        ("MCG +07-02-016", "mcg+7-2-16"),
        ("MCG \N{MINUS SIGN}02-32-020", "MCG-02-32-020"),
        ("Sombrero", "The Sombrero Galaxy"),
        ("Bode's Galaxy", "bodes"),
        ("Bode\N{RIGHT SINGLE QUOTATION MARK}s galaxy", "Bodes"),
        ("2MASX J00424433+4116074", "2masxj00424433+4116074"),
        ("ESO 97-13", "ESO097-013"),
        ("ESO 097- G 013", "ESO097-013"),
        ("ESO 350-IG038", "ESO 350-38"),
        ("NGC-4258", "NGC 4258"),
        ("NGC_4258", "NGC 4258"),
        ("MCG 07-02-016", "MCG+07-02-016"),
        ("2MASX J00424433 4116074", "2MASX J00424433+4116074"),
        ("Markarian 231", "Mrk 231"),
    ],
)
def test_spellings_of_one_name_are_one_name(one: str, other: str) -> None:
    assert designations.key(one) == designations.key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NGC 224", "NGC 2240"),
        ("NGC 10", "NGC 1"),
        ("MCG +07-02-016", "MCG -07-02-016"),
        ("2MASX J00424433+4116074", "2MASX J00042443+4116074"),
        ("NGC 5194A", "NGC 5194"),
        ("M 51", "C 51"),
        ("NGC 545/7", "NGC 5457"),
        ("NGC 545 7", "NGC 5457"),
        ("NGC 545, 7", "NGC 5457"),
        ("NGC 545\N{MIDDLE DOT}7", "NGC 5457"),
        ("NGC 322\N{SUPERSCRIPT TWO}", "NGC 3222"),
        ("[KK98] 77", "KK 9877"),
    ],
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert designations.key(one) != designations.key(other)


@given(st.text(max_size=60))
def test_filing_a_name_under_its_key_changes_nothing_more(name: str) -> None:
    key = designations.key(name)
    assert designations.key(key) == key
    assert key.isascii()


@given(st.integers(1, 6_000_000), st.sampled_from(["PGC {}", "pgc{}", "LEDA {:07d}", "PGC{:07d}", " leda  {} "]))
def test_pgc_numbers_are_read_in_every_spelling(number: int, spelling: str) -> None:
    assert designations.pgc_number(spelling.format(number)) == number


@pytest.mark.parametrize("name", ["NGC 224", "PGC", "PGC 12A", "PGC 123456789", "Sombrero"])
def test_what_is_no_pgc_number_is_none(name: str) -> None:
    assert designations.pgc_number(name) is None


@pytest.mark.parametrize("name", ["", "   ", "galaxy", "!?", "x" * 81, "NGC\x00224", "星系"])
def test_unreadable_names_are_refused(name: str) -> None:
    with pytest.raises(errors.BadTarget):
        designations.cleaned(name)


def test_a_readable_name_is_tidied() -> None:
    assert designations.cleaned("  NGC\t 224 ") == "NGC 224"


@pytest.mark.parametrize(
    ("catalogued", "shown"),
    [
        ("NGC0224", "NGC 224"),
        ("IC2431 NED02", "IC 2431 NED02"),
        ("ESO097-013", "ESO 097-013"),
        ("PGC000143", "PGC 143"),
        ("NGC5194A", "NGC 5194A"),
        ("IC0715SE", "IC 715SE"),
        ("NAME Andromeda Galaxy", "Andromeda Galaxy"),
        ("{NGC} 4258", "NGC 4258"),
        ("MESSIER 082", "M 82"),
        ("M  31", "M 31"),
        ("2MASX J00424433+4116074", "2MASX J00424433+4116074"),
    ],
)
def test_catalogue_spellings_are_shown_as_people_write_them(catalogued: str, shown: str) -> None:
    assert designations.displayed(catalogued) == shown


@pytest.mark.parametrize(
    "name", ["NGC 4258.0", "\N{LEFT-TO-RIGHT MARK}NGC 4258", "NGC\N{ZERO WIDTH SPACE} 4258", "NGC 4258\N{WORD JOINER}"]
)
def test_what_floats_and_web_pages_add_to_a_name_goes(name: str) -> None:
    assert designations.cleaned(name) == "NGC 4258"


def test_a_fraction_of_a_number_stays() -> None:
    assert designations.cleaned("NGC 22.4") == "NGC 22.4"
    assert designations.cleaned("SDSS J004244.30+411609.0") == "SDSS J004244.30+411609.0"
