"""The files of a result say what they hold, to Arrow's readers and to astronomers'."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from astropy.io.votable import parse_single_table
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from gateway.tables import results
from survey import table
from survey.catalogue import Partition

if TYPE_CHECKING:
    from pathlib import Path

PARTITION = Partition(7, "catalogue", start=0, stop=3, first=300)


def row(number: int, **values: Any) -> results.Row:
    return dict.fromkeys(column.name for column in table.COLUMNS) | {"row": number, "key": f"g{number}"} | values


ROWS = [
    row(300, inclination_deg=61.5, pgc=2557, n_flavors=4, warnings="", release="2026.1"),
    row(301, problem_type="outside-footprint", problem="SDSS has no image there."),
    row(302, problem_type="outside-footprint", problem="Nor there."),
]


def test_a_file_is_read_as_it_was_written_with_what_it_says_of_itself(tmp_path: Path) -> None:
    data = table.encoded(ROWS, PARTITION, {"release": "2026.1", "survey": "abc"}, described="")
    rows, about = table.decoded(data)
    assert rows == ROWS
    assert about["release"] == "2026.1"
    (tmp_path / "part.parquet").write_bytes(data)
    tally, about = table.summary(str(tmp_path / "part.parquet"))
    assert (tally.rows, tally.answered, tally.problems) == (3, 1, {"outside-footprint": 2})
    assert (about["survey"], about["partition"], about["first_row"]) == ("abc", "7", "300")


def test_the_columns_are_those_of_every_table_of_many_results_behind_the_row() -> None:
    assert table.schema().names == ["row", *(column.name for column in results.BATCH_COLUMNS)]
    field = table.schema().field("inclination_deg")
    assert field.type == pa.float64()
    assert field.metadata[b"unit"] == b"deg"
    assert field.metadata[b"ucd"] == b"src.orbital.inclination;meta.main"


def test_the_same_rows_are_the_same_bytes() -> None:
    one, other = (table.encoded(ROWS, PARTITION, {"a": "b"}, described=table.header()) for _ in range(2))
    assert one == other


def test_astronomers_tools_find_units_and_descriptions() -> None:
    file = parquet.ParquetFile(io.BytesIO(table.encoded(ROWS, PARTITION, {}, described=table.header())))
    metadata = file.metadata.metadata
    assert metadata[b"IVOA.VOTable-Parquet.version"] == b"1.0"
    described = parse_single_table(io.BytesIO(metadata[b"IVOA.VOTable-Parquet.content"]))
    assert [field.name for field in described.fields] == file.schema_arrow.names
    by_name = {field.name: field for field in described.fields}
    assert str(by_name["d25_arcmin"].unit) == "arcmin"
    assert by_name["ra_deg"].ucd == "pos.eq.ra;meta.main"
    assert by_name["rejection"].description == "Likelihood that a person would reject the image"


def test_a_file_of_something_else_is_no_file_of_a_survey(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"a": [1]}), tmp_path / "part.parquet")
    with pytest.raises(ValueError, match="does not say its 'answered'"):
        table.summary(str(tmp_path / "part.parquet"))


@given(st.integers(0, 10**8))
def test_a_partition_is_known_by_the_name_of_its_file(number: int) -> None:
    assert table.number_of(table.file_name(number)) == number


@pytest.mark.parametrize("name", ["part-7.parquet", "part-.parquet", "part-000007.csv", "_survey.json", ".part-000007"])
def test_other_names_are_of_no_partition(name: str) -> None:
    assert table.number_of(name) is None
