"""No name and no position ever means another galaxy: tried with all that OpenNGC and the shared catalogue hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.core import errors
from gateway.core.models import Galaxy
from gateway.sky.catalogues import composite_names, openngc, operator_file
from gateway.sky.catalogues.match import apart_arcsec, joined
from gateway.sky.catalogues.offline import OfflineCatalogues
from gateway.sky.positions import separation_arcsec
from tests.support.sky_universe import SHARED

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUE = SHARED / "catalog" / "hyperleda_d25_over_1arcmin.csv"
needs_shared = pytest.mark.skipif(not CATALOGUE.is_file(), reason="the shared catalogue is not at hand")

SEPARATORS = ["/", " / ", "&", " & ", ",", ", ", "+", " + ", "-", " - ", ":", ";", " and ", " AND ", " or ", "|", "\\"]
SEPARATORS += [" \N{RIGHTWARDS ARROW} ", "...", "--", "'", "="]
SEPARATORS += [
    "\N{EN DASH}",
    "\N{MINUS SIGN}",
    "\N{FULLWIDTH SOLIDUS}",
    "\N{DIVISION SLASH}",
    "\N{MIDDLE DOT}",
    " ",
    "_",
]

NGC = openngc.load()
GALAXIES = [row for row, kind in enumerate(NGC.kinds) if kind == "G"]
NUMBERS = sorted({int(one[1]) for row in GALAXIES if (one := re.fullmatch(r"NGC (\d+)", NGC.names[row]))})


@pytest.fixture(scope="module")
def offline() -> OfflineCatalogues:
    return OfflineCatalogues.load()


@pytest.fixture(scope="module")
def both() -> OfflineCatalogues:
    return OfflineCatalogues.load(CATALOGUE)


def said(offline: OfflineCatalogues, name: str) -> Galaxy | errors.TargetError | None:
    try:
        return offline.by_name(name)
    except errors.TargetError as error:
        return error


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("NGC 545/7", ["NGC 545", "NGC 547"]),
        ("NGC 545/547", ["NGC 545", "NGC 547"]),
        ("NGC 3226/27", ["NGC 3226", "NGC 3227"]),
        ("ngc4038/39", ["NGC 4038", "NGC 4039"]),
        ("NGC 4567 and 8", ["NGC 4567", "NGC 4568"]),
        ("NGC 5426-27", ["NGC 5426", "NGC 5427"]),
        ("NGC 750 & 751", ["NGC 750", "NGC 751"]),
        ("NGC 1409+1410", ["NGC 1409", "NGC 1410"]),
        ("NGC 999/1000", ["NGC 999", "NGC 1000"]),
        ("NGC 7769/70/71", ["NGC 7769", "NGC 7770", "NGC 7771"]),
        ("NGC 7318A/B", ["NGC 7318A", "NGC 7318B"]),
        ("NGC 4676AB", ["NGC 4676A", "NGC 4676B"]),
        ("NGC 5194(5)", ["NGC 5194", "NGC 5195"]),
        ("IC 2163/NGC 2207", ["IC 2163", "NGC 2207"]),
        ("UGC 12914/5", ["UGC 12914", "UGC 12915"]),
        ("UGC 12914 UGC 12915", ["UGC 12914", "UGC 12915"]),
        ("Messier 31/32", ["M 31", "M 32"]),
        ("PGC 1234 5678", ["PGC 1234", "PGC 5678"]),
        ("ESO 097-013/014", ["ESO 097-013", "ESO 097-014"]),
        ("MCG +07-02-016/7", ["MCG +07-02-016", "MCG +07-02-017"]),
        ("CGCG 123-045 & CGCG 123-046", ["CGCG 123-045", "CGCG 123-046"]),
        ("IC 2163 / ESO 556-008", ["IC 2163", "ESO 556-008"]),
        ("LMC/SMC", ["LMC", "SMC"]),
    ],
)
def test_a_name_of_several_objects_names_its_members(offline: OfflineCatalogues, name: str, members: list[str]) -> None:
    told = said(offline, name)
    assert isinstance(told, errors.UnknownTarget)
    assert told.extra["members"] == told.extra["suggestions"] == members
    assert all(member in told.detail for member in members)


@pytest.mark.parametrize(
    "name",
    [
        *("ESO 097-G013", "ESO 097-013", "MCG -01-01-001", "MCG+07-02-016", "CGCG 123-045", "UGC A 86", "[KK98] 77"),
        *("2MASX J00424433+4116074", "SDSS J124357.64-321013.0", "IRAS 09517+6954", "1H 0323+342", "AM 0644-741"),
        *("Arp 84", "VV 117", "NGC 3746A", "NGC 7318 B", "NGC 4656 NED01", "UGC 07907 NED02", "IC 4329A", "3C 273"),
        *("Andromeda Galaxy", "NGC 4258 halo", "h & chi Persei x", "II Zw 40", "Mrk 463E", "Leo I", "KPG 468"),
    ],
)
def test_a_name_of_one_object_is_left_whole(offline: OfflineCatalogues, name: str) -> None:
    told = said(offline, name)
    assert not isinstance(told, errors.UnknownTarget)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *(("M 51 (NGC 5194)", "NGC 5194"), ("NGC 224 = M31", "NGC 224"), ("NGC 5128 (Cen A)", "NGC 5128")),
        *(("NGC-4258", "NGC 4258"), ("NGC_4258", "NGC 4258"), ("M:106", "NGC 4258"), ("[NGC 4258]", "NGC 4258")),
        *(("ESO 556- G 008", "NGC 2207"), ("MCG 07-02-016", "NGC 224"), ("2MASX J00424433 4116074", "NGC 224")),
    ],
)
def test_other_spellings_of_one_object_find_it(offline: OfflineCatalogues, name: str, meant: str) -> None:
    galaxy = said(offline, name)
    assert isinstance(galaxy, Galaxy)
    assert galaxy.name == meant


def test_what_follows_a_number_and_is_no_name_is_refused(offline: OfflineCatalogues) -> None:
    with pytest.raises(errors.UnknownTarget, match="'X-1' follows IC 10") as told:
        offline.by_name("IC 10 X-1")
    assert told.value.extra["suggestions"] == ["IC 10"]


@pytest.mark.parametrize("separator", SEPARATORS)
def test_neighbours_in_the_catalogue_are_several_whatever_separates_them(
    offline: OfflineCatalogues, separator: str
) -> None:
    for one, other in zip(NUMBERS[::18], NUMBERS[1::18], strict=False):
        shared = next(n for n in range(1, 5) if one // 10**n == other // 10**n)
        for second in (str(other), str(other)[-shared:]):
            name = f"NGC {one}{separator}{second}"
            told = said(offline, name)
            assert isinstance(told, errors.UnknownTarget), name
            assert told.extra["members"] == [f"NGC {one}", f"NGC {other}"], name


@given(
    st.sampled_from(["NGC", "IC", "UGC", "PGC", "M"]),
    st.integers(1, 9999),
    st.text("/&,;:+-|.*#~=()[]_ ", min_size=1, max_size=3),
    st.integers(0, 9999),
)
def test_no_sign_between_two_numbers_ever_makes_one_of_them(catalogue: str, one: int, signs: str, other: int) -> None:
    assume(one != other)
    name = f"{catalogue} {one}{signs}{other}"
    told = said(OfflineCatalogues(NGC), name)
    assert isinstance(told, errors.UnknownTarget), name


def test_every_entry_answers_to_its_own_name(offline: OfflineCatalogues) -> None:
    for row, (name, kind) in enumerate(zip(NGC.names, NGC.kinds, strict=True)):
        told = said(offline, name)
        if kind == "G":
            assert isinstance(told, Galaxy), name
            assert told == NGC.catalogue.galaxy(row), name
        elif kind in {"GPair", "GTrpl", "GGroup"}:
            assert isinstance(told, errors.UnknownTarget), name
            members = told.extra["members"]
            assert isinstance(members, list)
            assert name not in members, name
        elif kind not in {"Dup", "NonEx"}:
            assert isinstance(told, errors.NotAGalaxy), name


def test_nearly_every_pair_of_openngc_names_its_galaxies(offline: OfflineCatalogues) -> None:
    groups = [name for name, kind in zip(NGC.names, NGC.kinds, strict=True) if kind in {"GPair", "GTrpl", "GGroup"}]
    told = [said(offline, name) for name in groups]
    unknown = [one.extra["members"] for one in told if isinstance(one, errors.UnknownTarget)]
    named = [members for members in unknown if isinstance(members, list) and len(members) > 1]
    assert len(groups) == 270
    assert len(named) >= 238


def test_a_pair_of_openngc_is_refused_with_its_galaxies(offline: OfflineCatalogues) -> None:
    for name in ("NGC 4656", "UGC 7907", "ngc4656"):
        told = said(offline, name)
        assert isinstance(told, errors.UnknownTarget)
        assert told.extra["members"] == ["NGC 4656 NED01", "NGC 4657"]
        assert "pair of galaxies" in told.detail


def test_every_galaxy_s_position_means_it_and_never_a_duplicate(offline: OfflineCatalogues) -> None:
    for row in GALAXIES:
        galaxy = NGC.catalogue.galaxy(row)
        found = offline.near(galaxy.ra_deg, galaxy.dec_deg)
        assert found is not None, galaxy.name
        if found != galaxy:
            # Two entries at one place, to the last digit.
            assert separation_arcsec(galaxy.ra_deg, galaxy.dec_deg, found.ra_deg, found.dec_deg) < 0.01, galaxy.name


def test_a_duplicate_is_the_galaxy_that_it_repeats(offline: OfflineCatalogues) -> None:
    for name, kind in zip(NGC.names, NGC.kinds, strict=True):
        if kind == "Dup":
            told = said(offline, name)
            assert not isinstance(told, Galaxy) or told.name != name


def test_what_a_catalogue_does_not_know_never_overrides_what_another_knows() -> None:
    one = Galaxy(1.0, 2.0, pgc=5, d25_arcmin=3.0, source="HyperLEDA", size_source="HyperLEDA")
    other = Galaxy(1.0, 2.0, "X", 6, 9.0, 0.5, 150.0, "OpenNGC", "OpenNGC")
    assert one.completed(other) == Galaxy(1.0, 2.0, "X", 5, 3.0, 0.5, 150.0, "HyperLEDA", "HyperLEDA")
    bare = Galaxy(1.0, 2.0, source="NED")
    assert bare.completed(other).size_source == "OpenNGC"


def test_catalogues_that_disagree_about_a_place_say_so() -> None:
    one, other = Galaxy(1.0, 2.0, d25_arcmin=1.0, source="HyperLEDA"), Galaxy(1.0, 2.01, source="OpenNGC")
    assert joined(one, replace_dec(other, 2.001)).warnings == ()
    (warning,) = joined(one, other).warnings
    assert "OpenNGC has it 36 arcsec away" in warning


def replace_dec(galaxy: Galaxy, dec_deg: float) -> Galaxy:
    return Galaxy(galaxy.ra_deg, dec_deg, source=galaxy.source)


@pytest.mark.parametrize("angle", ["0", "0.0", "0.00", "-999", "999", "-0.0"])
def test_an_angle_of_exactly_zero_is_unknown_and_openngc_s_stands(tmp_path: Path, angle: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(f"pgc,ra,dec,diameter,minorDiameter,anglePA\n39600,184.739583,47.303889,17.8,6.9,{angle}\n")
    own = OfflineCatalogues.load(path)
    for galaxy in (own.by_pgc(39600), own.by_name("M 106"), own.near(184.7396, 47.3039)):
        assert galaxy is not None
        assert (galaxy.position_angle_deg, galaxy.source, galaxy.size_source) == (150.0, "HyperLEDA", "HyperLEDA")


def test_a_file_s_pairs_and_stars_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    rows = ["1,A,G,1,1,10", "2,B,M2,2,2,10", "3,C,MC,3,3,10", "4,D,S,4,4,10", "5,E,,5,5,10", "6,F,GM,6,6,10"]
    path.write_text("\n".join(["pgc,objname,objtype,ra,dec,diameter", *rows]))
    catalogue = operator_file.load(path)
    assert [pgc for pgc in range(1, 7) if catalogue.row_of(pgc) is not None] == [1, 5, 6]


def test_the_nearer_galaxy_is_meant_whichever_catalogue_has_it(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    # A large galaxy that reaches over a small one of OpenNGC.
    path.write_text("pgc,ra,dec,diameter\n999999,184.75,47.3039,60\n")
    galaxy = OfflineCatalogues.load(path).near(184.7396, 47.3039)
    assert galaxy is not None
    assert galaxy.name == "NGC 4258"


@needs_shared
def test_the_shared_catalogue_s_zeros_are_unknown(both: OfflineCatalogues) -> None:
    known = operator_file.load(CATALOGUE)
    angles = [known.galaxy(row).position_angle_deg for row in range(len(known))]
    assert sum(angle is None for angle in angles) == 2261
    galaxy = both.by_name("NGC 4258")
    assert galaxy is not None
    assert galaxy.position_angle_deg == 150.0


@needs_shared
def test_every_galaxy_of_the_shared_catalogue_is_found_where_it_lies_or_warned_of(both: OfflineCatalogues) -> None:
    warned = 0
    catalogue = operator_file.load(CATALOGUE)
    for row in range(len(catalogue)):
        own = catalogue.galaxy(row)
        assert own.pgc is not None
        for found in (both.by_pgc(own.pgc), both.near(own.ra_deg, own.dec_deg)):
            assert found is not None, own
            assert apart_arcsec(own, found) is None, own
        numbered = both.by_pgc(own.pgc)
        assert numbered is not None
        warned += bool(numbered.warnings)
        named = said(both, numbered.name or "")
        if isinstance(named, Galaxy) and apart_arcsec(named, own) is not None:
            assert named.warnings, own
    assert 0 < warned < 60


def test_a_service_that_mistakes_one_number_for_another_is_caught() -> None:
    assert composite_names.another_number("NGC 3746A", ["NGC 3746", "UGC 1"]) == "NGC 3746"
    assert composite_names.another_number("UGC 123", ["UGC 0124"]) == "UGC 0124".replace("0124", "124")
    assert composite_names.another_number("UGC 123", ["NGC 5", "UGC 123", "UGC 124"]) is None
    assert composite_names.another_number("UGC 123", ["NGC 5"]) is None
    assert composite_names.another_number("Andromeda", ["NGC 224"]) is None


def test_a_galaxy_in_front_of_another_is_not_taken_for_it(offline: OfflineCatalogues) -> None:
    middle = Galaxy(184.7396, 47.3039, name="WISEA J121857.50+471814.0", source="NED")
    known = offline.same(middle)
    assert known is not None
    assert known.name == "NGC 4258"
    for other in (
        Galaxy(184.7396, 47.3060, name="WISEA J121857.50+471821.6", source="NED"),
        Galaxy(184.7396, 47.3039, name="X", pgc=999999, source="NED"),
        Galaxy(184.7396, 47.3039, name="NGC 4257", source="NED"),
    ):
        assert offline.same(other) is None
