"""Tables of a few hundred bytes that would take gigabytes or hours are refused, in any format and encoding."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from astropy import units
from astropy.io import fits
from astropy.table import QTable, Table
from pyarrow import parquet

from gateway.core import errors
from gateway.tables.cells.rows import rows_of
from gateway.tables.reader import columns_of, read_table, records_of

if TYPE_CHECKING:
    from pathlib import Path

ALIASES = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9 if n else ['rad'])}]\n" for n in range(12))
"""Lists of lists: nine to the power of eleven words as a text."""
COLUMNS = "datatype: [{name: ra, datatype: float64, unit: *a11}, {name: dec, datatype: float64}]\n"
HUGE_UNITS = ["10**999999999 deg", "10+999999999deg", "10^(999999999)rad", "sqrt(10**999999999)"]


def positions(data: bytes) -> list[str]:
    table = read_table(data, most=100)
    reading = columns_of(table)
    return [row.target.asked for row in rows_of(records_of(table, reading.columns), reading) if row.target]


def ecsv(header: str, between: str = "\n") -> str:
    lines = ["%ECSV 1.0", "---", *header.splitlines()]
    return between.join(f"# {line}" for line in lines) + "\nra dec\n10.5 41.5\n"


def in_fits(yaml: str) -> bytes:
    """Return a FITS table with YAML in its comments, as astropy writes it: long lines go on after a backslash."""
    table = fits.BinTableHDU.from_columns([fits.Column(name, "D", array=[1.0]) for name in ("ra", "dec")])
    for line in ["--BEGIN-ASTROPY-SERIALIZED-COLUMNS--", *yaml.splitlines(), "--END-ASTROPY-SERIALIZED-COLUMNS--"]:
        for start in range(0, len(line), 70):
            part = line[start : start + 70]
            table.header["COMMENT"] = part + ("\\" if start + 70 < len(line) else "")
    out = io.BytesIO()
    table.writeto(out)
    return out.getvalue()


@pytest.mark.parametrize("between", ["\n", "\n\n", "\r\n  "])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_aliases_that_unfold_to_gigabytes_are_refused(encoding: str, between: str) -> None:
    for header in (ALIASES + COLUMNS, (ALIASES + COLUMNS).replace("[rad]", "[*a0]")):
        with pytest.raises(errors.BadTable, match="refers to itself"):
            read_table(ecsv(header, between).encode(encoding))


def test_so_are_those_of_other_containers() -> None:
    with pytest.raises(errors.BadTable, match="refers to itself"):
        read_table(in_fits(ALIASES + COLUMNS + "meta: {__serialized_columns__: {}}\n"))
    file = io.BytesIO()
    metadata = {"table_meta_yaml": ALIASES + COLUMNS}
    parquet.write_table(pa.table({"ra": [10.5], "dec": [41.5]}).replace_schema_metadata(metadata), file)
    # metadata that can't be read are ignored
    assert positions(file.getvalue()) == ["10.5 41.5"]


def test_long_headers_are_refused() -> None:
    with pytest.raises(errors.BadTable, match="more than 262,144 characters"):
        read_table(ecsv("a: 1\n" * 60_000).encode())


def test_what_astropy_writes_is_read(tmp_path: Path) -> None:
    table = Table({"ra": [10.5] * units.deg, "dec": [41.5] * units.deg})
    table["ra"].info.description = "*".join("&" * 99)
    table["ra"].info.meta = {"one": (same := [1, 2]), "other": same}
    for number, one in enumerate((table, QTable(table))):
        for kind in ("ecsv", "fits", "vot"):
            one.write(path := tmp_path / f"{number}.{kind}", **({"format": "votable"} if kind == "vot" else {}))
            assert positions(path.read_bytes()) == ["10.5 41.5"], path.name


@pytest.mark.parametrize("unit", HUGE_UNITS)
def test_a_unit_with_an_endless_power_is_none(unit: str, tmp_path: Path) -> None:
    columns = f"datatype: [{{name: ra, datatype: float64, unit: '{unit}'}}, {{name: dec, datatype: float64}}]\n"
    Table({"ra": [10.5], "dec": [41.5]}).write(tmp_path / "table.vot", format="votable")
    votable = (tmp_path / "table.vot").read_text().replace('name="ra"', f'name="ra" unit="{unit}"')
    table = fits.BinTableHDU.from_columns([fits.Column(name, "D", array=[1.0]) for name in ("ra", "dec")])
    table.header["TUNIT1"] = unit
    table.writeto(tmp_path / "table.fits")
    schema = pa.schema([pa.field("ra", pa.float64(), metadata={b"unit": unit.encode()}), pa.field("dec", pa.float64())])
    file = io.BytesIO()
    parquet.write_table(pa.table([[10.5], [41.5]], schema=schema), file)
    wide = f"{unit:^30}"
    ipac = f"|{'ra':^30}|dec    |\n|{'double':^30}|double |\n|{wide}|deg    |\n {10.5:^30} 41.5   \n"
    for data in (
        ecsv(columns).encode(),
        votable.encode(),
        (tmp_path / "table.fits").read_bytes(),
        file.getvalue(),
        ipac.encode(),
    ):
        with pytest.raises(errors.BadTable, match=r"not read as an angle|damaged"):
            positions(data)
    # in a column that is not used it says nothing
    elsewhere = votable.replace(f' unit="{unit}"', "").replace(
        "<FIELD", f'<FIELD name="x" unit="{unit}" datatype="int"/><FIELD', 1
    )
    assert positions(elsewhere.replace("<TR>", "<TR><TD>1</TD>").encode()) == ["10.5 41.5"]


@pytest.mark.parametrize(
    "declared",
    [
        'datatype="double" arraysize="99999999"',
        'datatype="double" arraysize="9999x9999*"',
        'datatype="unicodeChar" arraysize="999999999"',
        'datatype="double" width="99999999"',
        'datatype="double" precision="F99999999"',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_votables_that_declare_huge_cells_are_refused(declared: str, encoding: str) -> None:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?><VOTABLE version="1.4"><RESOURCE><TABLE>'
        f'<FIELD name="ra" datatype="double"/><FIELD name="x" {declared}/>'
        "<DATA><TABLEDATA><TR><TD>10.5</TD><TD>1</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
    with pytest.raises(errors.BadTable, match="declares"):
        read_table(text.encode(encoding), most=100)
    with pytest.raises(errors.TableTooLarge):
        read_table(text.replace("<TABLE>", '<TABLE nrows="999999999">').encode(encoding), most=100)
    with pytest.raises(errors.TableTooLarge):
        read_table(
            text.replace(declared, 'datatype="int"').replace("<TR>", "<TR/>" * 2000 + "<TR>").encode(encoding), most=100
        )
