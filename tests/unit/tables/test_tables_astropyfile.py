"""VOTables, FITS and ECSV, as archives and programs write them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable, Table
from astropy.time import Time

from tests.unit.tables.test_tables_containers import asked, read, refusal


def votable(body: str) -> str:
    return f'<?xml version="1.0"?><VOTABLE version="1.4"><RESOURCE>{body}</RESOURCE></VOTABLE>'


FIELDS = '<FIELD name="a" datatype="double" ucd="{}" unit="{}"/><FIELD name="b" datatype="double" ucd="{}" unit="{}"/>'
DATA = "<DATA><TABLEDATA><TR><TD>{}</TD><TD>{}</TD></TR></TABLEDATA></DATA>"


def test_units_and_ucds_of_a_votable_count() -> None:
    fields = FIELDS.format("pos.eq.ra;meta.main", "h", "pos.eq.dec;meta.main", "arcmin")
    assert asked(votable(f"<TABLE>{fields}{DATA.format(0.5, 600)}</TABLE>")) == ["7.5 10.0"]


def test_of_several_tables_of_a_votable_the_one_that_asks_is_read() -> None:
    numbers = '<FIELD name="n" datatype="int"/><DATA><TABLEDATA><TR><TD>1</TD></TR></TABLEDATA></DATA>'
    notes = f'<TABLE name="notes">{numbers}</TABLE>'
    fields = FIELDS.format("pos.eq.ra", "deg", "pos.eq.dec", "deg")
    rows, said = read(votable(f'{notes}<TABLE name="cat">{fields}{DATA.format(10, 41)}</TABLE>'))
    assert rows[0].target is not None
    assert "Of 2 tables, cat is read." in said


def test_a_votable_with_the_types_of_a_database_is_read() -> None:
    for kind in ("integer", "smallint", "bigint", "real"):
        fields = f'<FIELD name="pgc" datatype="{kind}"/>'
        table = votable(f"<TABLE>{fields}<DATA><TABLEDATA><TR><TD>2557</TD></TR></TABLEDATA></DATA></TABLE>")
        assert asked(table) == ["PGC 2557"]


def test_an_archive_s_own_words_come_through() -> None:
    assert "instead of a table: Query timed out." in refusal(
        votable('<INFO name="QUERY_STATUS" value="ERROR">Query timed out.</INFO>')
    )
    assert "Service is down" in refusal(votable('<INFO name="Error" value="Service is down"/>'))
    assert "holds no table" in refusal(votable(""))
    fields = FIELDS.format("pos.eq.ra", "deg", "pos.eq.dec", "deg")
    overflow = '<INFO name="QUERY_STATUS" value="OVERFLOW"/>'
    assert any("OVERFLOW" in line for line in read(votable(f"{overflow}<TABLE>{fields}{DATA.format(1, 2)}</TABLE>"))[1])


def test_positions_of_another_system_that_a_table_declares_are_refused() -> None:
    coosys = '<COOSYS ID="sys" system="{}" equinox="1950"/>'
    fields = FIELDS.format("pos.eq.ra", "deg", "pos.eq.dec", "deg").replace('name="a"', 'name="ra" ref="sys"')
    body = f"<TABLE>{fields.replace(chr(34) + 'b' + chr(34), chr(34) + 'dec' + chr(34))}{DATA.format(10, 41)}</TABLE>"
    assert "equinox before J2000" in refusal(votable(coosys.format("eq_FK4") + body))
    assert asked(votable(coosys.format("eq_FK5") + body)) == ["10.0 41.0"]
    columns = [fits.Column("RA", "D", array=[10.0]), fits.Column("DEC", "D", array=[41.0])]
    for keyword, value, read_ in (("RADESYS", "FK4", False), ("EQUINOX", 1950.0, False), ("RADESYS", "ICRS", True)):
        table = fits.BinTableHDU.from_columns(columns)
        table.header[keyword] = value
        if read_:
            assert asked(hdus(table)) == ["10.0 41.0"]
        else:
            assert "equinox before J2000" in refusal(hdus(table))


def hdus(*tables: fits.BinTableHDU | fits.ImageHDU) -> bytes:
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(out)
    return out.getvalue()


def test_fits_says_what_it_holds() -> None:
    columns = [fits.Column("RA", "D", unit="h", array=[0.5]), fits.Column("DEC", "D", unit="deg", array=[41.0])]
    other = fits.BinTableHDU.from_columns([fits.Column("LAMBDA", "E", array=[1.0, 2.0])])
    rows, said = read(hdus(fits.ImageHDU(np.zeros((4, 4))), other, fits.BinTableHDU.from_columns(columns, name="CAT")))
    assert rows[0].target is not None
    assert rows[0].target.asked == "7.5 41.0"
    assert "Of 2 tables, CAT is read." in said
    assert "image and no table" in refusal(hdus(fits.ImageHDU(np.zeros((4, 4)))))
    folded = fits.BinTableHDU.from_columns([fits.Column("PGC", "2J", array=np.array([[2557, 4]]))])
    assert asked(hdus(folded)) == ["PGC 2557", "PGC 4"]
    several = fits.BinTableHDU.from_columns([fits.Column("RA", "2D", array=np.ones((3, 2)))])
    assert "several values there: RA" in refusal(hdus(several))


def test_coordinates_of_an_ecsv_are_a_position_and_its_times_are_none() -> None:
    out = io.StringIO()
    galactic = SkyCoord([121.1743] * units.deg, [-21.5733] * units.deg, frame="galactic")
    Table({"coord": galactic, "seen": Time(["2026-01-01"])}).write(out, format="ascii.ecsv")
    (row,), _ = read(out.getvalue())
    assert row.target is not None
    assert float(row.target.ra or 0) == pytest.approx(10.6847, abs=1e-3)
    assert float(row.target.dec or 0) == pytest.approx(41.2687, abs=1e-3)


def fits_table(*columns: fits.Column) -> bytes:
    written = io.BytesIO()
    fits.BinTableHDU.from_columns(list(columns)).writeto(written)
    return written.getvalue()


def test_texts_of_variable_length_are_texts_and_numbers_are_left_out() -> None:
    names = fits.Column("name", "PA()", array=np.array(["NGC 224", "M 33"], dtype=object))
    numbers = fits.Column("pgc", "PJ()", array=np.array([np.arange(3), np.arange(2)], dtype=object))
    rows, said = read(fits_table(names, numbers))
    assert [row.target.name for row in rows if row.target] == ["NGC 224", "M 33"]
    assert any("several values there: pgc" in line for line in said)


def test_a_truth_value_is_no_pgc_number() -> None:
    flags = fits.Column("pgc", "L", array=np.array([True, False]))
    named = fits.Column("name", "7A", array=np.array(["NGC 224", "NGC 628"]))
    assert [one.startswith("! ") for one in asked(fits_table(flags))] == [True, True]
    assert asked(fits_table(flags, named)) == ["NGC 224", "NGC 628"]


def test_ecsv_with_angles_and_quantities_is_read() -> None:
    place = SkyCoord([10.68, 24.1] * units.deg, [41.2, 15.7] * units.deg)
    for ra, dec in ((place.ra, place.dec), (place.ra.to(units.hourangle), place.dec.to(units.arcmin))):
        written = io.StringIO()
        table = QTable({"ra": ra, "dec": dec, "seen": Time(["2020-01-01", "2021-01-01"])})
        table.write(written, format="ascii.ecsv")
        places = [tuple(map(float, one.split())) for one in asked(written.getvalue())]
        assert places == [pytest.approx((10.68, 41.2)), pytest.approx((24.1, 15.7))]


def test_of_two_coordinates_in_a_table_the_first_is_read_and_the_other_named() -> None:
    place = SkyCoord([10.68] * units.deg, [41.2] * units.deg)
    other = SkyCoord([24.1] * units.deg, [15.7] * units.deg)
    written = io.StringIO()
    Table({"c": place, "d": other}).write(written, format="ascii.ecsv")
    rows, said = read(written.getvalue())
    assert rows[0].target is not None
    assert rows[0].target.asked == "10.68 41.2"
    assert any("d.ra with d.dec would fit too" in line for line in said)


def test_an_empty_line_before_a_votable_does_no_harm() -> None:
    fields = FIELDS.format("pos.eq.ra", "deg", "pos.eq.dec", "deg")
    text = votable(f"<TABLE>{fields}{DATA.format(10, 41)}</TABLE>")
    assert asked(f"\r\n  {text}") == asked(text) == ["10.0 41.0"]
    assert asked(text.encode("utf-16")) == ["10.0 41.0"]
