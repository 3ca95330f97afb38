"""Tables in whatever they come: read, or refused by a sentence that says what they are."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from astropy import units
from astropy.table import QTable, Table
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from gateway.core import errors
from gateway.tables.cells.rows import Row, rows_of
from gateway.tables.reader import columns_of, open_table, read_table, records_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read(data: bytes | str) -> tuple[list[Row], list[str]]:
    """Return the rows, and what is said of how they were read."""
    table = read_table(data.encode() if isinstance(data, str) else data)
    reading = columns_of(table)
    return rows_of(records_of(table, reading.columns), reading), reading.sentences()


def asked(data: bytes | str) -> list[str]:
    return [row.target.asked if row.target else f"! {row.problem}" for row in read(data)[0]]


def refusal(data: bytes | str) -> str:
    with pytest.raises(errors.BadTable) as told:
        read(data)
    return told.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "pgc,name\n2557,NGC 224\n4,\n",
        "pgc;name\r\n2557;NGC 224\r\n4;\r\n",
        "pgc\tname\r2557\tNGC 224\r4\t\r",
        "pgc|name\n2557|NGC 224\n4|\n",
        'pgc name\n2557 "NGC 224"\n4 ""\n',
        "sep=;\npgc;name\n2557;NGC 224\n4;\n",
        "# pgc,name\n2557,NGC 224\n4,\n",
        "# made by me\n\npgc,name\n2557,NGC 224\n# between\n4,\n",
        ",pgc,name\n0,2557,NGC 224\n1,4,\n",
        "pgc,name,\n2557,NGC 224,\n4,,\n",
        "|  PGC |    Name |\n| 2557 | NGC 224 |\n|    4 |         |\n",
        "| PGC | Name |\n|-----|------|\n| 2557 | NGC 224 |\n| 4 | |\n",
        "+------+---------+\n| pgc  | name    |\n+------+---------+\n| 2557 | NGC 224 |\n| 4 | |\n+------+---------+\n",
        " pgc  | name    \n------+---------\n 2557 | NGC 224\n 4 | \n(2 rows)\n",
        "PGC\tName\nN\tS\n2557\tNGC 224\n4\t\n",
        "PGC\tName\n\t\n----\t-------\n2557\tNGC 224\n4\t\n",
        '[{"pgc": 2557, "name": "NGC 224"}, {"pgc": 4}]',
        '{"pgc": [2557, 4], "name": ["NGC 224", null]}',
        '{"pgc": {"0": 2557, "1": 4}, "name": {"0": "NGC 224", "1": null}}',
        '{"pgc": 2557, "name": "NGC 224"}\n{"pgc": 4}\n',
    ],
)
def test_text_is_read_however_its_cells_are_parted(text: str, tmp_path: Path) -> None:
    assert asked(text) == ["PGC 2557", "PGC 4"]
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
        if not text.startswith(("[", "{")):
            assert asked(text.encode(encoding)) == ["PGC 2557", "PGC 4"], encoding
    path = tmp_path / "table"
    for pack in (bytes, gzip.compress, bz2.compress, lzma.compress):
        path.write_bytes(pack(text.encode()))
        assert asked(path.read_bytes()) == ["PGC 2557", "PGC 4"]
        table = open_table(path)
        assert len(rows_of(table.records(), columns_of(table))) == 2


CELLS = st.text(st.characters(exclude_categories=["C"]), max_size=12).map(str.strip)


@given(st.lists(CELLS, min_size=1, max_size=6), st.sampled_from(",;\t|"))
def test_any_cells_are_read_as_they_were_quoted(cells: list[str], separator: str) -> None:
    lines = [f"pgc{separator}key"]
    lines += ['{}{}"k{}"'.format(n, separator, cell.replace('"', '""')) for n, cell in enumerate(cells, 1)]
    rows, _ = read("\n".join(lines))
    assert [row.target.pgc for row in rows if row.target] == list(range(1, len(cells) + 1))
    assert [row.key for row in rows] == [f"k{cell}" for cell in cells]


def test_lines_within_quotes_are_neither_rows_nor_comments() -> None:
    assert asked('pgc,note\n2557,"two\n\nlines"\n4,"#hash\n#second"\n# 5,x\n6,\n') == ["PGC 2557", "PGC 4", "PGC 6"]
    assert "never closed" in refusal('pgc,note\n2557,"never closed\n4,x\n')


def test_a_quotation_mark_that_is_not_closed_swallows_no_rows_silently() -> None:
    rows = ["ra,dec,note,name", *(f"{number},41,a,NGC {number}" for number in range(10, 30))]
    for before, after in [("", ""), (" ", ", "), ("weird,", "odd,"), ("5' wide,", "")]:
        lines = rows.copy()
        lines[3], lines[9] = f'12,41,"{before}NGC 12', f'18,41,"{after}NGC 18'
        assert "would be lost" in refusal("\n".join(lines)), (before, after)
    bare = ["pgc,name,note", '1,NGC 1,"', "2,NGC 2,", '3,NGC 3,"', "4,NGC 4,"]
    assert "at line 2 of the table" in refusal("\n".join(bare))


def test_notes_over_several_lines_are_no_rows() -> None:
    text = 'ra,dec,note,name\n10,41,"seen, once,\nthen, twice, and, ""no"" more" ,NGC 224\n11,42,"a\n\nb",NGC 628\n'
    assert asked(text) == ["10 41", "11 42"]


def test_a_header_that_goes_on_in_the_next_line_is_refused() -> None:
    assert "does not close" in refusal('pgc,"two\nlines"\n1,2\n')
    assert asked('pgc,fov (")\n2557,240\n') == ["PGC 2557"]


def test_a_header_without_end_is_refused() -> None:
    assert "columns" in refusal(",".join(f"c{number}" for number in range(30_000)) + "\n1\n")
    many = [f"{kind}_{number}" for number in range(5_000) for kind in ("ra", "dec")]
    assert asked(",".join(["pgc", *many]) + "\n2557\n") == ["PGC 2557"]


def test_cells_of_any_length_are_read() -> None:
    assert asked("pgc,note\n2557," + "x" * 300_000 + "\n") == ["PGC 2557"]


def test_a_row_of_more_cells_than_columns_is_a_problem_and_no_other_position() -> None:
    (row,), _ = read("ra,dec\n10,6,41,2\n")
    assert row.problem is not None
    assert "41, 2" in row.problem.detail
    assert asked("name ra dec\nNGC 224 10.6 41\nM31 1 2\n")[1] == "1 2"
    assert asked("name ra dec\nM31 1\n")[0].startswith("! The row's cells do not fit")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_text_of_the_west_is_read_and_that_is_said(encoding: str) -> None:
    rows, said = read("name,note\nNGC 224,Andromède\n".encode(encoding))
    assert rows[0].key == "NGC 224"
    assert any("not text in UTF-8" in sentence for sentence in said)


def test_units_on_a_line_of_their_own_count() -> None:
    for text in (
        'PGC\tRAJ2000\tDEJ2000\n\t"h:m:s"\t"d:m:s"\n---\t-----------\t-----------\n\t00 42 44.33\t+41 16 07.5\n',
        "ra,dec\nhours,deg\n0.712314,41.268750\n",
        "ra;dec\n(h);(deg)\n0,712314;41,268750\n",
    ):
        (row,), _ = read(text)
        assert row.target is not None
        assert row.target.asked in {"00 42 44.33 +41 16 07.5", "10.68471 41.268750", "10.68471 41.26875"}


def test_what_has_no_header_is_refused_and_its_first_row_not_lost() -> None:
    for text in (
        "2557\n4\n",
        "NGC 224\nNGC 628\n",
        "10.684708,41.26875\n11,42\n",
        "10.6 41.2\n11 42\n",
        "12:30:45.6,+1\n",
    ):
        assert "no header" in refusal(text)
    assert "no header" in refusal("00h42m44.3s;2MASX J00424433+4116074\n")
    assert "None of the columns" in refusal("SST,CName,3.6mag,e_3.6mag\na,b,1,2\n")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04" + bytes(300), "spreadsheet"),
        (b"%PDF-1.4 x", "PDF"),
        (b"<html><body><table><tr><td>PGC</td></tr></table>", "HTML page"),
        (b"<!-- x -->\n<!DOCTYPE html><html>", "HTML page"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "JPEG picture"),
        (b"\x1f\x8b" + b"nonsense", "damaged or incomplete"),
        (gzip.compress(b"pgc\n1\n", mtime=0)[:-6], "damaged or incomplete"),
        (b'{"a": 1}', "not a JSON list"),
        (b'[{"pgc": 1, "pgc": 2}]', "twice"),
        (b"\x00\x01\x02\x03\xff" * 20, "neither text"),
    ],
)
def test_what_is_no_table_is_called_what_it_is(data: bytes, words: str) -> None:
    assert words in refusal(data)


def test_layouts_of_text_that_astropy_writes_are_read() -> None:
    table = Table({"PGC": [2557, 4], "Name": ["NGC224", "x"]})
    for layout in ("ipac", "latex", "rst", "fixed_width", "tab", "rdb", "commented_header", "basic", "mrt", "ecsv"):
        out = io.StringIO()
        table.write(out, format=f"ascii.{layout}")
        assert asked(out.getvalue()) == ["PGC 2557", "PGC 4"], layout
    sextractor = "#   1 ALPHA_J2000  Right ascension [deg]\n#   2 DELTA_J2000  Declination [deg]\n 10.5 41.5\n"
    assert asked(sextractor) == ["10.5 41.5"]


def test_a_layout_is_recognised_without_trying_every_way_to_match() -> None:
    # a pattern that backtracks would not come back from these
    assert asked("pgc,name\r\n" + "1,x\r\n" * 900) == ["PGC 1"] * 900
    for text in ("#" * 4000, "=" * 4000 + "x", "|" * 4000, "\\a\r\n" * 900 + "|"):
        assert refusal(text)


def parquet_of(**columns: pa.Array) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


def test_parquet_of_every_kind_is_read_or_refused() -> None:
    assert asked(parquet_of(pos=pa.array([{"ra": 10.5, "dec": 41.5}]))) == ["10.5 41.5"]
    assert asked(parquet_of(pgc=pa.array([2557.0, None]), name=pa.array([None, b"M 31"]))) == ["PGC 2557", "M 31"]
    assert asked(parquet_of(name=pa.array(["M 31"]).dictionary_encode())) == ["M 31"]
    assert "several values there: name" in refusal(parquet_of(name=pa.array([["M 31", "NGC 224"]])))


def test_units_that_programs_declare_in_parquet_count(tmp_path: Path) -> None:
    table = QTable({"ra": [0.1863] * units.rad, "dec": [0.72] * units.rad})
    table.write(tmp_path / "astropy.parquet", format="parquet")
    said = {name: {"unit": "rad", "ucd": "", "description": "", "utype": ""} for name in table.colnames}
    table.write(tmp_path / "topcat.parquet", format="parquet.votable", metadata=said)
    own = {b"unit": b"rad"}
    schema = pa.schema([pa.field(name, pa.float64(), metadata=own) for name in table.colnames])
    parquet.write_table(
        pa.table([table[name].value for name in table.colnames], schema=schema), tmp_path / "own.parquet"
    )
    for path in sorted(tmp_path.iterdir()):
        (place,) = asked(path.read_bytes())
        assert list(map(float, place.split())) == pytest.approx([10.674204, 41.252961]), path.name


@pytest.mark.parametrize(
    "metadata",
    [
        {"table_meta_yaml": "datatype:\n- {name: ra, unit"},
        {"table_meta_yaml": "datatype: 5"},
        {"table_meta_yaml": "- ra"},
        {"table_meta_yaml": "datatype: [" + "[" * 100_000},
        {"IVOA.VOTable-Parquet.content": "<VOTABLE"},
        {"IVOA.VOTable-Parquet.content": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'},
    ],
    ids=lambda metadata: str(metadata)[:80],
)
def test_damaged_metadata_of_parquet_say_nothing(metadata: dict[str, str]) -> None:
    file = io.BytesIO()
    parquet.write_table(pa.table({"ra": [10.5], "dec": [41.5]}).replace_schema_metadata(metadata), file)
    assert asked(file.getvalue()) == ["10.5 41.5"]


@pytest.mark.parametrize("write", [lambda numbers: parquet_of(objid=numbers, pgc=pa.array([1, 2])), None])
def test_identifiers_beyond_what_a_float_keeps_stay_exact(write: Callable[[pa.Array], bytes] | None) -> None:
    numbers = [2**64 - 1, 1237653665258930303]
    if write is not None:
        data = write(pa.array(numbers, pa.uint64()))
    else:
        out = io.BytesIO()
        Table({"objid": np.array(numbers, np.uint64), "pgc": [1, 2]}).write(out, format="fits")
        data = out.getvalue()
    assert [row.key for row in read(data)[0]] == list(map(str, numbers))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_unpacks_without_end_is_refused(pack: Callable[[bytes], bytes]) -> None:
    data = pack(b"pgc\n" + b"1\n" * 600_000)
    assert len(data) < 20_000
    with pytest.raises(errors.TableTooLarge, match="unpacks to more"):
        read_table(data, most_bytes=1_000_000)
