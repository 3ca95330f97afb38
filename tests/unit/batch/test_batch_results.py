"""The files of a result say what they hold, to Arrow's readers and to astronomers'."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from astropy.io.votable import parse_single_table
from pyarrow import parquet as pq

from batch.outputs import results
from batch.outputs.results import Tally, encoded, record_of, tally, votable_header
from gateway.core.models import Target
from gateway.tables.cells.rows import Row
from gateway.tables.results import BATCH_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = {
    "batch": "abc",
    "answered": "1",
    "problems": '{"outside-footprint": [2, "g1", "Nothing there."]}',
    "again": "[]",
}


def row(number: int, **values: Any) -> dict[str, Any]:
    return dict.fromkeys(column.name for column in results.COLUMNS) | {"row": number, "key": f"g{number}"} | values


ROWS = [
    row(0, inclination_deg=61.5, pgc=2557, n_flavors=4, warnings="", release="2026.1"),
    row(1, problem_type="outside-footprint", problem="Nothing there."),
    row(2, problem_type="outside-footprint", problem="Nor there."),
]


def test_a_file_is_read_as_it_was_written_with_what_it_says_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "part.parquet"
    path.write_bytes(encoded(ROWS, ABOUT))
    rows, about = results.decoded(str(path))
    assert (rows, about) == (ROWS, ABOUT)
    assert results.summary(str(path)) == (tally(ROWS), ABOUT)
    assert tally(ROWS) == Tally(3, 1, {"outside-footprint": (2, "g1", "Nothing there.")})


def test_the_columns_are_those_of_every_table_of_many_results_behind_the_row_and_what_was_asked() -> None:
    names = [column.name for column in results.COLUMNS]
    assert names == ["row", "key", "asked", *(one.name for one in BATCH_COLUMNS if one.name != "key")]
    field = pq.read_schema(io.BytesIO(encoded(ROWS, ABOUT))).field("inclination_deg")
    assert field.metadata[b"unit"] == b"deg"
    assert field.metadata[b"ucd"] == b"src.orbital.inclination;meta.main"


def test_astronomers_tools_find_units_and_descriptions() -> None:
    data = encoded(ROWS, ABOUT, header=votable_header(results.COLUMNS))
    assert data == encoded(ROWS, ABOUT, header=votable_header(results.COLUMNS)), "the same rows are the same bytes"
    metadata = pq.read_schema(io.BytesIO(data)).metadata
    assert metadata[b"IVOA.VOTable-Parquet.version"] == b"1.0"
    described = parse_single_table(io.BytesIO(metadata[b"IVOA.VOTable-Parquet.content"]))
    by_name = {field.name: field for field in described.fields}
    assert str(by_name["d25_arcmin"].unit) == "arcmin"
    assert by_name["rejection"].description == "Likelihood that a person would reject the image"


def test_a_file_of_something_else_is_no_file_of_a_batch(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "part.parquet")
    with pytest.raises(ValueError, match="does not say its 'problems'"):
        results.summary(str(tmp_path / "part.parquet"))


def test_a_row_says_what_was_asked_and_what_of_it_was_passed_over() -> None:
    asked = Row(7, "mine\n", Target(name="NGC 7331", fov_arcmin=14.0), warnings=("The PGC number was passed over.",))
    record = record_of(asked, {"inclination_deg": 61.0, "warnings": "Close.", "name": " \x07 "})
    assert (record["row"], record["key"], record["asked"]) == (7, "mine", "NGC 7331 fov=14")
    assert (record["warnings"], record["name"]) == ("The PGC number was passed over. Close.", None)
    assert record_of(asked, record)["warnings"] == "The PGC number was passed over. Close.", "and says it once"
    assert record_of(Row(0, "", file="a.png"), {"problem_type": "bad-image"})["asked"] == "a.png"
