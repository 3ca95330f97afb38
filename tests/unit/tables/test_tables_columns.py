"""Which column is what: by the words of its name, its UCD and its unit."""

from __future__ import annotations

import itertools
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import BadTable
from gateway.tables.header.column_use import Reading
from gateway.tables.header.columns import choice_of, recognise
from gateway.tables.table import Field

PAIRS = [
    *(("ra", "dec"), ("RA", "Decl"), ("ra", "de"), ("Right Ascension", "Declination"), ("RAJ2000", "DECJ2000")),
    *(("_RAJ2000", "_DEJ2000"), ("_RA", "_DE"), ("RAdeg", "DEdeg"), ("RA_ICRS", "DE_ICRS"), ("RAICRS", "DEICRS")),
    *(("ALPHA_J2000", "DELTA_J2000"), ("ALPHAWIN_J2000", "DELTAWIN_J2000"), ("raMean", "decMean")),
    *(("raStack", "decStack"), ("RA (J2000)", "Dec (J2000)"), ("RA(deg)", "DEC(deg)"), ("RA [deg]", "Dec [deg]")),
    *(("ra_j2000", "dec_j2000"), ("ra2000", "de2000"), ("OBJRA", "OBJDEC"), ("TARGET_RA", "TARGET_DEC")),
    *(
        ("R.A.", "Decl."),
        ("R.A. (J2000)", "Dec. (J2000)"),
        ("\u03b1 (J2000)", "\u03b4 (J2000)"),
        ("\u03b12000", "\u03b42000"),
    ),
    *(("coord_ra", "coord_dec"), ("s_ra", "s_dec"), ("RA_d", "DEC_d"), ("ra_1", "dec_1"), ("IFURA", "IFUDEC")),
    *(("meanra", "meandec"), ("ra_gaia", "dec_gaia"), ("RA_J2000_deg", "DEC_J2000_deg"), ("alpha", "delta")),
    *(("RA_GAL", "DEC_GAL"), ("RA_TARG", "DEC_TARG"), ("ra_j2000", "dec"), ("ra", "dec_icrs"), ("pos.ra", "pos.dec")),
    *(("RA J2000.0", "DEC J2000.0"), ("ra (degrees)", "dec (degrees)"), ("host_ra", "host_dec"), ("RA_epoch2000",) * 2),
][:-1]
NAMES = [
    *("name", "objname", "OBJECT", "Object Name", "galaxy_name", "GalaxyName", "target", "TARGNAME", "MAIN_ID"),
    *("designation", "NED name", "prefname", "common_name", "Identifier", "SimbadName", "IAUNAME", "Names"),
]
NUMBERS = ["pgc", "PGC No.", "PGC#", "pgc_number", "LEDA", "leda_id", "HyperLEDA", "AL1", "N_PGC", "PGCname", "id_pgc"]


def roles(*fields: Field | str) -> dict[str, str]:
    return {role: " ".join(use.columns) for role, use in recognise(fields).uses.items()}


@pytest.mark.parametrize(("ra", "dec"), PAIRS)
def test_a_position_is_known_in_the_spellings_of_the_catalogues(ra: str, dec: str) -> None:
    assert roles("mag", dec, "z", ra, f"e_{ra}", f"{dec}_err") == {"ra": ra, "dec": dec}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_known_in_the_spellings_of_the_catalogues(name: str) -> None:
    assert roles("mag", name) == {"name": name}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_pgc_number_is_known_in_the_spellings_of_the_catalogues(name: str) -> None:
    assert roles("mag", name) == {"pgc": name}


@given(
    st.sampled_from(PAIRS),
    st.sampled_from([str.upper, str.lower, str.title, lambda text: text.replace("_", " "), lambda text: f" {text} "]),
)
def test_case_and_punctuation_make_no_difference(pair: tuple[str, str], change: object) -> None:
    ra, dec = (change(name) for name in pair)  # type: ignore[operator]  # one of the functions above
    assert roles(ra, dec) == {"ra": ra, "dec": dec}


@pytest.mark.parametrize(
    "names",
    [
        ("ra_err", "dec_err"),
        ("pmra", "pmdec"),
        ("e_RAJ2000", "e_DEJ2000"),
        ("plate_ra", "plate_dec"),
        ("ra_gaia", "dec_wise"),
        ("filter_name", "survey_name"),
        ("spectra", "node", "code", "decade", "era"),
        ("PGC1",),
        ("pgc_flag",),
        ("alpha",),
        ("mag", "z"),
    ],
)
def test_what_stands_beside_a_quantity_is_not_taken_for_it(names: tuple[str, ...]) -> None:
    with pytest.raises(BadTable, match="None of the columns"):
        recognise(names)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("RAB1950", "DEB1950"), "equinox before J2000"),
        (("GLON", "GLAT"), "galactic, ecliptic or other"),
        (("l", "b"), "galactic, ecliptic or other"),
        (("lon", "lat"), "galactic, ecliptic or other"),
        (("ELON", "ELAT"), "galactic, ecliptic or other"),
        (("CRVAL1", "CRVAL2"), "column.ra=CRVAL1"),
        (("X_WORLD", "Y_WORLD"), "column.ra=X_WORLD"),
        (("RAm", "DEm"), "only some parts"),
        (("RAh", "DEd"), "only some parts"),
        (("2557", "NGC 224"), "no header"),
        (("NGC 224",), "no header"),
        (("ra", "dec", "ra", "dec"), "2 columns are called 'ra'"),
        (("pgc", "pgc"), "2 columns are called 'pgc'"),
    ],
)
def test_what_can_not_be_told_is_refused_in_a_true_sentence(names: tuple[str, ...], words: str) -> None:
    with pytest.raises(BadTable, match=words):
        recognise(names)


def test_of_several_columns_the_best_is_taken_and_what_else_would_fit_is_said() -> None:
    assert roles("RA_ICRS", "ra", "DE_ICRS", "dec", "IFURA", "IFUDEC")["ra"] in {"ra", "RA_ICRS"}
    assert roles("objra", "objdec", "ifura", "ifudec") == {"ra": "objra", "dec": "objdec"}
    assert roles("RAB1950", "DEB1950", "RAJ2000", "DEJ2000") == {"ra": "RAJ2000", "dec": "DEJ2000"}
    assert roles("ra", "dec", "RA") == {"ra": "ra", "dec": "dec"}
    crossed = recognise(["dec_wise", "ra_gaia", "ra_wise", "dec_gaia"])
    assert {crossed.uses["ra"].columns[0][3:], crossed.uses["dec"].columns[0][4:]} in ({"gaia"}, {"wise"})
    assert "would fit too" in crossed.warnings[0]
    hosts = recognise(["ra", "dec", "host_ra", "host_dec"])
    assert (hosts.uses["ra"].columns, "host_ra with host_dec" in hosts.warnings[0]) == (("ra",), True)
    strange = recognise(["ra_xyz", "dec_xyz"])
    assert "'xyz'" in strange.warnings[0]


def test_ucds_alone_are_enough_and_errors_have_other_ones() -> None:
    fields = [
        Field("a", "float", "deg", "stat.error;pos.eq.ra"),
        Field("b", "float", "deg", "pos.eq.ra;meta.main"),
        Field("c", "float", "deg", "pos.eq.dec;meta.main"),
        Field("l", "float", "deg", "pos.galactic.lon"),
    ]
    assert roles(*fields) == {"ra": "b", "dec": "c"}
    assert roles(Field("x", ucd="POS_EQ_RA_MAIN"), Field("y", ucd="POS_EQ_DEC_MAIN")) == {"ra": "x", "dec": "y"}
    with pytest.raises(BadTable):
        recognise([Field("ra", ucd="pos.galactic.lon"), Field("dec", ucd="pos.galactic.lat")])


@pytest.mark.parametrize(
    ("name", "unit", "factor"),
    [
        ("al2000", None, 15.0),
        ("ra (hours)", None, 15.0),
        ("ra", "h", 15.0),
        ("ra", "hourangle", 15.0),
        ("ra", "rad", 57.29577951308232),
        ("ra", "arcsec", 1 / 3600),
        ("ra", "mas", 1 / 3_600_000),
        ("ra", "deg", 1.0),
        ("ra", "---", 1.0),
        ("ra_deg", "Degrees", 1.0),
    ],
)
def test_right_ascensions_are_converted_by_their_unit(name: str, unit: str | None, factor: float) -> None:
    conversion = recognise([Field(name, "float", unit), "de2000"]).uses["ra"].conversion
    assert conversion.factor == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "unit", "factor"),
    [
        ("fov", "arcsec", 1 / 60),
        ("fov_arcsec", None, 1 / 60),
        ("fov (deg)", None, 60.0),
        ("FOV [']", None, 1.0),
        ("fov", "rad", 3437.746770784939),
        ("fov", None, 1.0),
    ],
)
def test_fields_of_view_are_converted_by_their_unit(name: str, unit: str | None, factor: float) -> None:
    assert recognise(["pgc", Field(name, "float", unit)]).uses["fov"].conversion.factor == pytest.approx(factor)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("pgc", Field("fov", unit="pix")), "fov.*'pix'"),
        (("pgc", Field("pa", unit="Jy")), "pa.*'Jy'"),
        ((Field("ra", unit="km/s"), "dec"), "ra.*'km/s'"),
        ((Field("ra_deg", unit="h"), "dec"), "contradicts"),
        ((Field("ra", unit="nonsense"), "dec"), "ra.*'nonsense'"),
    ],
)
def test_a_unit_of_no_angle_is_refused_with_the_name_of_its_column(fields: tuple[Field | str, ...], words: str) -> None:
    with pytest.raises(BadTable, match=words):
        recognise(fields)


def test_a_split_position_is_put_together() -> None:
    names = ["RAh", "RAm", "RAs", "DE-", "DEd", "DEm", "DEs"]
    for order in itertools.islice(itertools.permutations(names), 0, 5000, 997):
        assert roles(*order) == {"ra": "RAh RAm RAs", "dec": "DE- DEd DEm DEs"}
    assert roles("ra_h", "ra_m", "dec_d", "dec_m") == {"ra": "ra_h ra_m", "dec": "dec_d dec_m"}
    assert roles(*names, "RAdeg", "DEdeg") == {"ra": "RAdeg", "dec": "DEdeg"}


def test_numbers_of_a_catalogue_are_names_and_stand_in_for_each_other() -> None:
    reading = recognise(["UGC", "NGC", "IC No."])
    assert (reading.uses["name"].columns, reading.uses["name"].prefix) == (("NGC",), "NGC")
    assert [use.prefix for use in reading.more_names] == ["IC", "UGC"]
    assert recognise(["name", "NGC"]).uses["name"].columns == ("name",)


def test_identifiers_are_taken_for_names_only_where_nothing_else_is() -> None:
    assert roles("id", "ra", "dec") == {"key": "id", "ra": "ra", "dec": "dec"}
    alone = recognise(["objid", "mag"])
    assert {role: use.columns for role, use in alone.uses.items()} == {"key": ("objid",), "name": ("objid",)}
    assert "is taken for names" in alone.warnings[0]
    assert roles("id", "file") == {"key": "id", "file": "file"}


def test_the_caller_s_word_is_the_last() -> None:
    names = ["A", "B", "pgc", "name"]
    reading = recognise(names, {"ra": "A", "dec": "b", "pgc": ""})
    assert {role: use.columns[0] for role, use in reading.uses.items()} == {"name": "name", "ra": "A", "dec": "B"}
    assert recognise(["ra", "other dec"], {"dec": "other dec"}).uses["ra"].columns == ("ra",)
    with pytest.raises(BadTable, match=r"no column 'C'.*said to be ra"):
        recognise(names, {"ra": "C"})
    assert choice_of(["ra=A", "DEC = B", "pgc="]) == {"ra": "A", "dec": "B", "pgc": ""}
    for wrong in ("ra", "size=A"):
        with pytest.raises(BadTable, match="ROLE=COLUMN"):
            choice_of([wrong])


def test_a_reading_survives_being_written_down() -> None:
    reading = recognise([Field("ra", unit="h"), "dec", "NGC", "IC", "fov_arcsec", "DE-"])
    restored = Reading.restored(json.loads(json.dumps(reading.saved())))
    assert (restored.uses, restored.more_names) == (reading.uses, reading.more_names)


def test_what_is_read_is_told_in_words() -> None:
    told = recognise([Field("al2000", "float"), "de2000", "mag"]).as_json()
    assert told["columns"]["ra"] == {"column": "al2000", "unit": "hour", "read_as": "from hour, sexagesimal is hours"}
    assert told["ignored"] == ["mag"]


@given(st.lists(st.text(max_size=30), max_size=8))
def test_any_header_is_read_or_refused(names: list[str]) -> None:
    with suppress(BadTable):
        assert recognise(names).columns <= set(names)
