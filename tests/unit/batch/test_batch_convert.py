"""Tables on disk: what is read in pieces, and what is written and read back."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.io.votable import parse_single_table
from astropy.table import MaskedColumn, Table
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from batch.conversion import convert
from batch.conversion.own_columns import OwnColumns
from batch.errors import BatchError
from batch.inputs import source
from batch.outputs.results import clean
from gateway.core.errors import BadTable
from gateway.tables.files import astropyfile, parquetfile
from gateway.tables.reader import open_table
from gateway.tables.results import Column

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMATS = ["csv", "ecsv", "votable", "fits", "parquet"]
COLUMNS = (
    Column("key", "str", "The row's own key", ucd="meta.id"),
    Column("inclination_deg", "float", "Inclination", "deg", "src.orbital.inclination"),
    Column("n", "int", "A number", ucd="meta.number"),
    Column("my own", "str", ""),
)
ROWS: list[tuple[Any, ...]] = [
    ("PGC 1", 61.25, 4, None),
    ("#5, 'a' & <b> \"c\"", None, None, "β Lyrae"),
    ("a" * 300, -0.1, -(2**62), "0012"),
]


def written(path: Path, file_format: str, columns: Sequence[Column] = COLUMNS, rows: Sequence[Any] = ROWS) -> Path:
    with path.open("wb") as file:
        convert.write(file, file_format, columns, lambda: rows, {"release": "2026.1"})
    return path


def read(path: Path) -> list[tuple[Any, ...]]:
    return [tuple(record.values()) for record in open_table(path, comments=False).records()]


cell_texts = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=20).map(clean)
some_rows = st.lists(
    st.tuples(
        cell_texts,
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
        st.none() | cell_texts,
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("file_format", FORMATS)
@given(rows=some_rows)
def test_any_cell_survives_any_format(
    file_format: str, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "t"
    back = read(written(path, file_format, rows=[("k" + row[0], *row[1:]) for row in rows]))
    kinds = {"str": str, "float": float, "int": int}
    for asked, got in zip(rows, back, strict=True):
        for column, value, cell in zip(COLUMNS, ("k" + asked[0], *asked[1:]), got, strict=True):
            assert (kinds[column.kind](cell) if cell not in {None, ""} else None) == (value if value != "" else None)


def test_astropy_finds_units_descriptions_and_ucds_in_ecsv(tmp_path: Path) -> None:
    table = Table.read(written(tmp_path / "t.ecsv", "ecsv"))
    column = table["inclination_deg"]
    assert (str(column.unit), column.description, column.meta["ucd"]) == (
        "deg",
        "Inclination",
        "src.orbital.inclination",
    )
    assert table.meta["release"] == "2026.1"
    assert list(table["n"].mask) == [False, True, False]


def test_astropy_finds_units_descriptions_and_ucds_in_a_votable(tmp_path: Path) -> None:
    table = parse_single_table(written(tmp_path / "t.vot", "votable"), verify="exception")
    field = table.get_field_by_id_or_name("inclination_deg")
    assert (str(field.unit), field.description, field.ucd) == ("deg", "Inclination", "src.orbital.inclination")
    assert list(table.array["n"].mask) == [False, True, False]
    ids = [one.get("ID") for one in ET.parse(tmp_path / "t.vot").iter() if one.get("ID")]  # noqa: S314 - our own file
    assert len(ids) == len(set(ids))


def test_fits_says_units_nulls_descriptions_and_ucds_where_topcat_looks(tmp_path: Path) -> None:
    path = written(tmp_path / "t.fits", "fits")
    with fits.open(path) as document:
        document.verify("exception")
        header = document[1].header
        assert (header["TUNIT2"], header["TCOMM2"], header["TUCD2"]) == (
            "deg",
            "Inclination",
            "src.orbital.inclination",
        )
        assert header["RELEASE"] == "2026.1"
        assert header["NAXIS2"] == 3
    assert path.stat().st_size % 2880 == 0
    table = Table.read(path)
    assert list(table["n"].mask) == [False, True, False]
    assert str(table["inclination_deg"].unit) == "deg"
    assert table["my own"][1] == "β Lyrae"


def test_parquet_carries_a_votable_header_and_what_astropy_reads(tmp_path: Path) -> None:
    schema = parquet.read_schema(written(tmp_path / "t.parquet", "parquet"))
    header = schema.metadata[b"IVOA.VOTable-Parquet.content"]
    fields = [one for one in ET.fromstring(header).iter() if one.tag.endswith("FIELD")]  # noqa: S314 - our own file
    assert [field.get("ucd") for field in fields[:2]] == ["meta.id", "src.orbital.inclination"]
    assert b"unit: deg" in schema.metadata[b"table_meta_yaml"]
    assert [str(kind) for kind in schema.types] == ["string", "double", "int64", "string"]
    table = Table.read(tmp_path / "t.parquet")
    assert str(table["inclination_deg"].unit) == "deg"


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_table_longer_than_a_piece_is_whole(
    file_format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "_AT_ONCE", 7)
    monkeypatch.setattr(astropyfile, "ROWS_AT_ONCE", 5)
    monkeypatch.setattr(parquetfile, "ROWS_AT_ONCE", 5)
    rows = [(f"row {number}", number / 8, number, "x" * number) for number in range(1, 300)]
    table = open_table(written(tmp_path / "t", file_format, rows=rows))
    found = [tuple(record.values()) for record in table.records()]
    assert [(one, float(two), int(three), four) for one, two, three, four in found] == rows


def test_single_precision_nulls_and_arrays_are_read_as_a_person_would(tmp_path: Path) -> None:
    table = Table(
        {
            "ra": np.array([0.1, 10.68], np.float32),
            "pgc": MaskedColumn([1, 2], mask=[False, True]),
            "flux": np.ones((2, 3)),
            "seen": [True, False],
            "name": ["M 31", "é"],
        }
    )
    expected = [(0.1, 1, 1, "M 31"), (10.68, None, 0, "é")]
    for suffix, file_format in (("fits", "fits"), ("vot", "votable"), ("ecsv", "ascii.ecsv")):
        path = tmp_path / f"t.{suffix}"
        if suffix == "fits":
            table["name"] = ["M 31", "e"]
            table.write(path, format=file_format)
            table["name"] = ["M 31", "é"]
            assert read(path) == [expected[0], (10.68, None, 0, "e")]
        else:
            table.write(path, format=file_format)
            assert read(path) == expected
    arrow = pa.table(
        {
            "ra": pa.array([0.1, 10.68], pa.float32()),
            "pgc": pa.array([1, None], pa.int32()),
            "flux": pa.array([[1.0], [2.0]]),
            "seen": [True, False],
            "name": ["M 31", "é"],
        }
    )
    parquet.write_table(arrow, tmp_path / "t.parquet")
    assert read(tmp_path / "t.parquet") == expected
    assert [one.kind for one in open_table(tmp_path / "t.parquet").fields] == ["float", "int", "int", "str"]


def test_a_csv_has_the_kinds_that_all_its_cells_agree_on(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,d,e,f,g\n1,1,1,01,nan,1_0,\n-2,2.5,x,2,3,2,\n,nan,,,4,3,\n")
    table = own(path)
    kinds = {name: column.kind for name, column in table.columns().items()}
    assert kinds == {"a": "int", "b": "float", "c": "str", "d": "str", "e": "int", "f": "str", "g": "str"}
    assert list(table.cells()) == [
        (1, 1.0, "1", "01", None, "1_0", None),
        (-2, 2.5, "x", "2", 3, "2", None),
        (None, None, None, None, 4, "3", None),
    ]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"# only this", "comment"),
        (b"SIMPLE  = nonsense", "damaged"),
        (b"PAR1 nonsense", "damaged"),
        (b"<html>", "HTML"),
        (b"<not a VOTable>", "damaged"),
        (b"# %ECSV 1.0\n# nonsense\n", "damaged"),
        (b"a\n\xff\xfe\x01", "UTF-8"),
    ],
)
def test_damaged_tables_are_a_clear_error(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_bytes(data)
    with pytest.raises(BadTable, match=words):
        list(open_table(path).records())


def test_a_votable_can_not_have_another_file_read_along(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(8))
    path = tmp_path / "t.vot"
    path.write_text(
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>'
        '<FIELD name="pgc" datatype="long"/><DATA><BINARY>'
        f'<STREAM href="file://{tmp_path}/secret"/></BINARY></DATA></TABLE></RESOURCE></VOTABLE>'
    )
    with pytest.raises(BadTable, match="elsewhere"):
        open_table(path)


def test_numbers_that_a_format_has_no_word_for_are_empty_cells(tmp_path: Path) -> None:
    for file_format in FORMATS:
        path = written(tmp_path / file_format, file_format, rows=[("k", None, None, None)])
        (row,) = read(path)
        assert row[0] == "k"
        assert all(value in {None, ""} for value in row[1:]), file_format
    with (tmp_path / "csv").open() as file:
        assert list(csv.reader(file))[1] == ["k", "", "", ""]
    assert math.isnan(fits.getdata(tmp_path / "fits", 1)["inclination_deg"][0])


def own(path: Path) -> OwnColumns:
    return OwnColumns(source.find([str(path)]))


HUGE = [2**64 - 1, 1237653665258930303]


@pytest.mark.parametrize("given_as", ["csv", "fits", "parquet", "json", "votable"])
@pytest.mark.parametrize("suffix", [".csv", ".ecsv", ".vot", ".fits", ".parquet"])
def test_identifiers_of_any_size_are_carried_along_exactly(given_as: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{given_as}"
    numbers = {"objid": HUGE, "long": [1237653665258930303, 1237653665258930305], "pgc": [1, 2]}
    if given_as == "csv":
        path.write_text(
            "objid,long,pgc\n" + "".join(f"{a},{b},{c}\n" for a, b, c in zip(*numbers.values(), strict=True))
        )
    elif given_as == "json":
        path.write_text(json.dumps(numbers))
    elif given_as == "parquet":
        parquet.write_table(pa.table(numbers | {"objid": pa.array(HUGE, pa.uint64())}), path)
    else:
        kept = numbers if given_as == "fits" else {**numbers, "objid": list(map(str, HUGE))}
        Table({**kept, "objid": np.array(HUGE, np.uint64)} if given_as == "fits" else kept).write(path, format=given_as)
    carried = own(path)
    columns = list(carried.columns().values())
    assert [(column.name, column.kind) for column in columns[:2]] == [("objid", "str"), ("long", "int")]
    convert.rehearse(f"out{suffix}", carried)
    back = read(written(tmp_path / f"out{suffix}", convert.format_of(suffix) or "", columns, list(carried.cells())))
    assert [(str(objid), int(long)) for objid, long, *_ in back] == [
        (str(objid), long) for objid, long in zip(HUGE, numbers["long"], strict=True)
    ]


def test_what_a_format_can_not_hold_is_found_before_anything_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("pgc," + ",".join(f"c{number}" for number in range(1200)) + "\n1" + ",1" * 1200 + "\n")
    with pytest.raises(BatchError, match="can't hold the columns"):
        convert.rehearse("out.fits", own(path))
    convert.rehearse("out.fits", None)
    convert.rehearse("out.parquet", own(path))


@pytest.mark.parametrize("suffix", [".csv", ".ecsv", ".vot", ".fits", ".parquet"])
def test_a_unit_that_no_standard_knows_does_not_stop_a_result(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "t.vot"
    path.write_text(
        '<VOTABLE version="1.4"><RESOURCE><TABLE><FIELD name="pgc" datatype="int"/>'
        '<FIELD name="v" datatype="float" unit="strange units"/><DATA><TABLEDATA><TR><TD>1</TD><TD>2</TD></TR>'
        "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
    convert.rehearse(f"out{suffix}", own(path))
    assert [one.name for one in tmp_path.iterdir()] == ["t.vot"]
