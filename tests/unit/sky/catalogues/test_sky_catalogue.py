"""The offline catalogues: files of every format, and OpenNGC."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import errors
from gateway.sky.catalogues import operator_file
from gateway.sky.catalogues.catalogue import Catalogue, Columns
from gateway.sky.catalogues.offline import OfflineCatalogues
from gateway.sky.catalogues.operator_file import CatalogueFileError
from gateway.sky.positions import separation_arcsec

if TYPE_CHECKING:
    from pathlib import Path

CSV = """name,ra,dec,diameter,mag,alias,minorDiameter,anglePA
PGC 2557,10.684583,41.269444,199.526,15.00,,70.795,35.0
PGC 218,0.812083,16.145556,,15.00,,,
PGC 5,nan,16.145556,1.0,15.00,,0.5,10
"""
LEDA = """# HyperLEDA
pgc,objname,al2000,de2000,logd25,logr25,pa
2557,NGC0224,0.7123055,41.269444,3.30,0.45,35.0
218,UGC00008,0.0541388,16.145556,9.99,9.99,999
"""


@pytest.fixture(scope="module")
def offline() -> OfflineCatalogues:
    return OfflineCatalogues.load()


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_with_sizes_is_read(tmp_path: Path) -> None:
    catalogue = operator_file.load(written(tmp_path, "own.csv", CSV))
    row = catalogue.row_of(2557)
    assert row is not None
    galaxy = catalogue.galaxy(row)
    assert (galaxy.name, galaxy.pgc, galaxy.source) == ("PGC 2557", 2557, "HyperLEDA")
    assert galaxy.d25_arcmin == pytest.approx(199.526)
    assert galaxy.axis_ratio == pytest.approx(0.3548, abs=1e-4)
    assert galaxy.position_angle_deg == 35.0


def test_empty_cells_are_unknown_and_rows_without_a_position_left_out(tmp_path: Path) -> None:
    catalogue = operator_file.load(written(tmp_path, "own.csv", CSV))
    assert len(catalogue) == 2
    assert catalogue.row_of(5) is None
    row = catalogue.row_of(218)
    assert row is not None
    galaxy = catalogue.galaxy(row)
    assert (galaxy.d25_arcmin, galaxy.axis_ratio, galaxy.position_angle_deg) == (None, None, None)


def test_hyperleda_s_own_columns_are_read(tmp_path: Path) -> None:
    catalogue = operator_file.load(written(tmp_path, "leda.CSV", LEDA))
    (row,) = catalogue.rows_of("NGC 224")
    galaxy = catalogue.galaxy(row)
    assert galaxy.ra_deg == pytest.approx(10.6845825)
    assert galaxy.d25_arcmin == pytest.approx(199.526, rel=1e-4)
    assert galaxy.axis_ratio == pytest.approx(10**-0.45, abs=1e-4)
    (row,) = catalogue.rows_of("UGC 8")
    assert catalogue.galaxy(row).d25_arcmin is None
    assert catalogue.galaxy(row).position_angle_deg is None


def test_parquet_and_votable_say_the_same_as_csv(tmp_path: Path) -> None:
    import pyarrow as pa
    from astropy.table import Table
    from pyarrow import parquet

    columns = {"pgc": [2557, 218], "ra": [10.684583, 0.812083], "dec": [41.269444, 16.145556]}
    columns |= {"diameter": [199.526, 4.3], "minorDiameter": [70.795, 1.9], "anglePA": [35.0, 135.0]}
    parquet.write_table(pa.table(columns), tmp_path / "own.parquet")
    Table(columns).write(tmp_path / "own.vot", format="votable")
    for name in ("own.parquet", "own.vot"):
        catalogue = operator_file.load(tmp_path / name)
        row = catalogue.row_of(218)
        assert row is not None
        galaxy = catalogue.galaxy(row)
        assert (galaxy.pgc, galaxy.position_angle_deg) == (218, 135.0), name
        assert galaxy.d25_arcmin == pytest.approx(4.3), name


def test_without_the_parquet_reader_the_operator_reads_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "own.parquet").write_bytes(b"PAR1")
    with pytest.raises(CatalogueFileError, match=r"own\.parquet is Parquet.*use CSV or VOTable"):
        operator_file.load(tmp_path / "own.parquet")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("own.txt", CSV),
        ("own.csv", "a,b\n1,2\n"),
        ("own.csv", "ra,dec\n1,2\n"),
        ("own.csv", "pgc,ra,dec\n1,one,two\n"),
        ("own.parquet", CSV),
        ("own.vot", CSV),
        ("own.csv", ""),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused_by_name(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(CatalogueFileError, match=name):
        operator_file.load(written(tmp_path, name, text))


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(CatalogueFileError, match=r"absent\.csv"):
        operator_file.load(tmp_path / "absent.csv")


def single(ra: float, dec: float, d25: float = 1.0) -> Catalogue:
    one = np.array
    shape = (one([d25], np.float32), one([0.5], np.float32), one([10.0], np.float32))
    return Catalogue("test", Columns(one([ra]), one([dec]), *shape, one([7], np.int64)))


@given(st.floats(0, 360), st.floats(-90, 90), st.floats(0, 360), st.floats(0, 4.9))
def test_a_galaxy_is_found_from_within_five_arcsec_anywhere_on_the_sky(
    ra: float, dec: float, towards: float, arcsec: float
) -> None:
    # Step along a great circle from the galaxy by exact rotation, so that poles and 0h are no special case.
    a, d, t, r = (np.radians(value) for value in (ra, dec, towards, arcsec / 3600))
    sine = np.clip(np.sin(d) * np.cos(r) + np.cos(d) * np.sin(r) * np.cos(t), -1, 1)
    near_ra = np.degrees(a + np.arctan2(np.sin(t) * np.sin(r) * np.cos(d), np.cos(r) - np.sin(d) * sine)) % 360
    found = single(ra, dec).near(float(near_ra), float(np.degrees(np.arcsin(sine))))
    assert found is not None
    assert found[1] == pytest.approx(arcsec, abs=0.01)


def test_beyond_its_tolerance_a_galaxy_is_not_meant() -> None:
    assert single(150.0, 2.0).near(150.0, 2.0 + 5.5 / 3600) is None
    assert single(150.0, 2.0, 30.0).near(150.0, 2.0 + 35 / 3600) is not None
    assert single(150.0, 2.0, 600.0).near(150.0, 2.0 + 61 / 3600) is None


def test_separations_agree_with_astropy() -> None:
    from astropy.coordinates import SkyCoord

    for one, other in (((10.0, 41.0), (10.1, 41.1)), ((359.99, -80.0), (0.01, -80.0)), ((5.0, 89.99), (185.0, 89.99))):
        expected = SkyCoord(*one, unit="deg").separation(SkyCoord(*other, unit="deg")).arcsec
        assert separation_arcsec(*one, *other) == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize(
    ("asked", "name", "pgc"),
    [
        ("M31", "NGC 224", 2557),
        ("NGC 224", "NGC 224", 2557),
        ("ngc224", "NGC 224", 2557),
        ("UGC 454", "NGC 224", 2557),
        ("IC 342", "IC 342", 13826),
        ("Sombrero", "NGC 4594", 42407),
        ("2MASX J00424433+4116074", "NGC 224", 2557),
        ("M 102", "NGC 5457", 50063),
        ("IC 39", "NGC 178", 2349),
        ("Pinwheel", "NGC 5457", 50063),
        ("LMC", "ESO 056-115", 17223),
    ],
)
def test_openngc_knows_galaxies_by_every_name(offline: OfflineCatalogues, asked: str, name: str, pgc: int) -> None:
    galaxy = offline.by_name(asked)
    assert galaxy is not None
    assert (galaxy.name, galaxy.pgc) == (name, pgc)


def test_openngc_gives_position_size_and_angle(offline: OfflineCatalogues) -> None:
    galaxy = offline.by_pgc(42407)
    assert galaxy is not None
    assert (galaxy.ra_deg, galaxy.dec_deg) == pytest.approx((189.9976, -11.6231), abs=1e-3)
    assert galaxy.d25_arcmin == pytest.approx(8.45)
    assert galaxy.axis_ratio == pytest.approx(4.91 / 8.45, abs=1e-4)
    assert galaxy.position_angle_deg == 90.0


@pytest.mark.parametrize(("asked", "words"), [("M42", "nebula"), ("M13", "globular")])
def test_what_is_no_galaxy_is_told_as_what_it_is(offline: OfflineCatalogues, asked: str, words: str) -> None:
    with pytest.raises(errors.NotAGalaxy, match=words):
        offline.by_name(asked)


def test_a_number_within_a_pair_is_left_to_those_who_know_the_one_galaxy(
    offline: OfflineCatalogues, tmp_path: Path
) -> None:
    with pytest.raises(errors.UnknownTarget, match="pair of galaxies"):
        offline.by_name("UGC 1")
    assert offline.by_pgc(7078) is None
    own = OfflineCatalogues.load(written(tmp_path, "own.csv", "pgc,ra,dec,diameter\n7078,28.62,-16.71,1.1\n"))
    galaxy = own.by_pgc(7078)
    assert galaxy is not None
    assert galaxy.d25_arcmin == pytest.approx(1.1)


def test_a_name_of_two_galaxies_is_ambiguous_and_both_are_named(offline: OfflineCatalogues) -> None:
    with pytest.raises(errors.UnknownTarget) as told:
        offline.by_name("Antennae Galaxies")
    assert told.value.extra["suggestions"] == ["NGC 4038", "NGC 4039"]


def test_an_entry_without_an_object_is_unknown(offline: OfflineCatalogues) -> None:
    with pytest.raises(errors.UnknownTarget, match="without an object"):
        offline.by_name("IC 67")


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [("Sombrerro", "Sombrero Galaxy"), ("Andromda", "Andromeda Galaxy"), ("M 133", "M 33"), ("NGC 22400", "NGC 224")],
)
def test_the_likest_names_are_suggested(offline: OfflineCatalogues, mistyped: str, meant: str) -> None:
    suggestions = offline.suggestions(mistyped)
    assert meant in suggestions
    assert len(suggestions) <= 5


def test_nothing_like_it_suggests_nothing(offline: OfflineCatalogues) -> None:
    assert offline.suggestions("xyzzy") == []


def test_the_operator_s_file_decides_the_size_and_openngc_the_name(tmp_path: Path) -> None:
    offline = OfflineCatalogues.load(written(tmp_path, "own.csv", CSV))
    for galaxy in (offline.by_pgc(2557), offline.by_name("Andromeda"), offline.near(10.6846, 41.2694)):
        assert galaxy is not None
        assert (galaxy.name, galaxy.source) == ("NGC 224", "HyperLEDA")
        assert galaxy.d25_arcmin == pytest.approx(199.526)


def test_a_position_means_the_galaxy_there(offline: OfflineCatalogues) -> None:
    galaxy = offline.near(10.68, 41.27)
    assert galaxy is not None
    assert galaxy.name == "NGC 224"
    assert offline.near(10.0, -5.0) is None
