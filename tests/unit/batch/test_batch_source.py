"""What is asked is recognised, known again, and cut so that every row is in one partition."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from batch.errors import BatchError
from batch.inputs import catalogue, source
from batch.inputs.catalogue import STAGED, Piece
from batch.inputs.images import Pictures
from batch.inputs.source import Form
from batch.outputs.partitions import Identity, claim
from gateway.core.errors import UpstreamUnavailable
from gateway.tables.cells.rows import question

if TYPE_CHECKING:
    from pathlib import Path


def find(url: str) -> source.Source:
    return source.find([url])


GALAXIES = {"objname": ["NGC 1", "NGC 2", "M 31"], "ra": [1.5, 2.25, 10.684708], "dec": [-3.0, 4.0, 41.26875]}


def write_table(path: Path) -> Path:
    """Write the galaxies in the format that the path's suffix names."""
    if path.suffix == ".parquet":
        parquet.write_table(pa.table({**GALAXIES, "mag": [1.0, 2.0, 3.0]}), path)
    else:
        formats = {".csv": "ascii.csv", ".ecsv": "ascii.ecsv", ".fits": "fits", ".vot": "votable"}
        Table({**GALAXIES, "mag": [1.0, 2.0, 3.0]}).write(path, format=formats[path.suffix])
    return path


def records_of(found: source.Source, out: Path, size: int) -> list[dict[str, Any]]:
    cut = catalogue.partitions(catalogue.pieces(found, str(out), size=size), size)
    return [record for partition in cut for record in catalogue.records(partition)[0]]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".ecsv", ".fits", ".vot"])
def test_tables_of_every_format_ask_the_same_whatever_the_partitions(tmp_path: Path, suffix: str) -> None:
    found = find(str(write_table(tmp_path / f"galaxies{suffix}")))
    assert found.form is (Form.PARQUET if suffix == ".parquet" else Form.TABLE)
    for size in (1, 2, 3):
        records = records_of(found, tmp_path / f"out{size}", size)
        assert [record["objname"] for record in records] == GALAXIES["objname"]
        assert [float(record["ra"]) for record in records] == GALAXIES["ra"]
        assert "mag" not in records[0], "only what says what to ask is read"


def test_a_table_is_rewritten_once_for_a_batch(tmp_path: Path) -> None:
    found, out = find(str(write_table(tmp_path / "galaxies.csv"))), tmp_path / "out"
    records_of(found, out, 2)
    claim(str(out), Identity(found.fingerprint, 2, "first", {}), location=found.location, partitions=2)
    written = (out / STAGED).stat().st_ino
    assert [record["objname"] for record in records_of(found, out, 2)] == GALAXIES["objname"]
    assert (out / STAGED).stat().st_ino == written


@given(st.lists(st.integers(0, 50), max_size=6), st.integers(1, 20))
def test_partitions_hold_every_row_of_every_file_once_and_in_order(rows: list[int], size: int) -> None:
    pieces = [Piece(f"file {number}", count) for number, count in enumerate(rows)]
    cut = catalogue.partitions(pieces, size)
    asked = [(one.url, row) for one in cut for row in range(one.start, one.stop)]
    assert asked == [(piece.url, row) for piece in pieces for row in range(piece.rows)]
    assert [row for one in cut for row in range(one.first, one.first + one.rows)] == list(range(sum(rows)))
    assert [one.number for one in cut] == list(range(len(cut)))
    assert all(0 < one.rows <= size for one in cut)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 12))
def test_a_partition_is_its_rows_whatever_the_row_groups(rows: int, group: int, size: int) -> None:
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"pgc": list(range(rows))}), buffer, row_group_size=group)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("batch.storage.open_for_reading", lambda _url: io.BytesIO(buffer.getvalue()))
        cut = catalogue.partitions([Piece("memory", rows)], size)
        assert [record["pgc"] for one in cut for record in catalogue.records(one)[0]] == list(range(rows))


def test_a_folder_of_parquet_files_is_one_catalogue(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    for name, pgc in (("b", [3]), ("a", [1, 2]), ("_not", [9]), (".nor", [9])):
        parquet.write_table(pa.table({"pgc": pgc}), parts / f"{name}.parquet")
    for asked in (parts, f"{parts}/*.parquet"):
        found = find(str(asked))
        assert found.form is Form.PARQUET
        assert [record["pgc"] for record in records_of(found, tmp_path / "out", 10)] == [1, 2, 3]


def test_a_folder_of_images_asks_each_by_its_path_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    for name in ("b.jpg", "deep/a.FITS", "notes.txt", ".hidden.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    records = records_of(find(str(folder)), tmp_path / "out", 10)
    assert records == [
        {"key": "b.jpg", "file": str(folder / "b.jpg")},
        {"key": "deep/a.FITS", "file": str(folder / "deep/a.FITS")},
    ]


def test_a_changed_image_makes_another_folder_and_the_same_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"one")
    before = find(str(tmp_path)).fingerprint
    assert find(f"{tmp_path}/").fingerprint == before
    (tmp_path / "a.jpg").write_bytes(b"three")
    assert find(str(tmp_path)).fingerprint != before


def test_a_fingerprint_is_that_of_the_bytes_wherever_they_lie(tmp_path: Path) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text("pgc\n1\n")
    other.write_text("pgc\n1\n")
    assert find(str(one)).fingerprint == find(str(other)).fingerprint
    other.write_text("pgc\n2\n")
    assert find(str(one)).fingerprint != find(str(other)).fingerprint


def test_a_large_file_is_sampled_from_its_first_to_its_last_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_WHOLE_BYTES", 1000)
    monkeypatch.setattr(source, "_SAMPLE_BYTES", 16)
    monkeypatch.setattr(source, "_SAMPLES", 5)
    path = tmp_path / "large.csv"
    data = bytearray(b"pgc\n" + b"1\n" * 1000)
    path.write_bytes(data)
    before = find(str(path)).fingerprint
    for place in (0, len(data) // 2, len(data) - 1):
        changed = bytearray(data)
        changed[place] ^= 1
        path.write_bytes(changed)
        assert find(str(path)).fingerprint != before
    path.write_bytes(data + b"1\n")
    assert find(str(path)).fingerprint != before


async def test_model_inputs_are_read_one_by_one(tmp_path: Path) -> None:
    images = np.random.default_rng(1).integers(0, 256, (5, 128, 128, 3), dtype=np.uint8)
    path = tmp_path / "images.npy"
    np.save(path, images)
    found = find(str(path))
    assert found.form is Form.PIXELS
    assert catalogue.pieces(found, str(tmp_path / "out"), size=2) == (Piece(str(path), 5),)
    with closing(Pictures(str(path))) as pictures:
        for row in (4, 0, 2):
            np.testing.assert_array_equal(await pictures.read(str(row)), images[row])


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 128, 128, 3), np.float32), "float32"),
        (np.zeros((2, 64, 64, 3), np.uint8), r"\[2, 64, 64, 3\]"),
        (np.zeros((128, 128, 3), np.uint8), "uint8"),
        (np.asfortranarray(np.zeros((2, 128, 128, 3), np.uint8)), "Fortran"),
        (np.zeros((0, 128, 128, 3), np.uint8), "no rows"),
    ],
)
def test_another_array_is_refused(tmp_path: Path, array: np.ndarray[Any, Any], words: str) -> None:
    np.save(tmp_path / "images.npy", array)
    found = find(str(tmp_path / "images.npy"))
    with pytest.raises(BatchError, match=words):
        catalogue.pieces(found, str(tmp_path / "out"), size=2)


async def test_a_file_that_ends_early_is_trouble_and_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "images.npy"
    np.save(path, np.zeros((3, 128, 128, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:-1])
    with closing(Pictures(str(path))) as pictures, pytest.raises(UpstreamUnavailable, match="before picture 2"):
        await pictures.read("2")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.csv", None, "There is nothing at"),
        ("empty.csv", b"  \n", "is empty"),
        ("strange.csv", b"a,b\n1,2\n", "None of the columns"),
        ("header.csv", b"pgc\n", "header.csv (has no rows|is empty)"),
        ("cut.parquet", b"PAR1 and then nothing", "can't be read"),
        ("cut.fits", b"SIMPLE  =" + b" " * 100, "damaged"),
        ("cut.npy", b"\x93NUMPY\x01\x00", "damaged"),
        ("folder", b"", "neither Parquet files nor images"),
        ("x://nowhere/table.csv", None, "no kind of store"),
    ],
)
def test_what_can_not_be_asked_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    asked = name if "://" in name else str(tmp_path / name)
    if name == "folder":
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BatchError, match=words):
        catalogue.pieces(find(asked), str(tmp_path / "out"), size=10)


def test_a_table_s_units_choice_and_misfits_travel_to_the_workers(tmp_path: Path) -> None:
    table = tmp_path / "galaxies.csv"
    table.write_text("id,al2000,de2000\n1237653665258930303,0.5,41\n2,0.5,41,7\n")
    (piece,) = catalogue.pieces(find(str(table)), str(tmp_path / "out"), size=10)
    records, reading = catalogue.records(catalogue.partitions([piece], 10)[0])
    good, misfit = (question(n, record, reading) for n, record in enumerate(records))
    assert good.target is not None
    assert (good.key, good.target.asked) == ("1237653665258930303", "7.5 41")
    assert misfit.problem is not None
    assert "al2000 (from hour" in piece.notes[0]

    choice = {"key": "de2000"}
    pieces = catalogue.pieces(find(str(table)), str(tmp_path / "out"), size=10, choice=choice)
    records, reading = catalogue.records(catalogue.partitions(pieces, 10)[0], choice)
    assert reading.uses["key"].columns == ("de2000",), "the same table read otherwise is rewritten"


def test_a_parquet_catalogue_s_units_and_structs_are_read_by_every_worker(tmp_path: Path) -> None:
    position = pa.struct([pa.field("ra", pa.float32(), metadata={"unit": "hourangle"}), pa.field("dec", pa.float32())])
    schema = pa.schema([pa.field("pos", position), pa.field("objid", pa.uint64())])
    rows = [{"pos": {"ra": 0.1, "dec": 41.1}, "objid": 2**64 - 1}]
    parquet.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "galaxies.parquet")
    (partition,) = catalogue.partitions([Piece(str(tmp_path / "galaxies.parquet"), 1)], 10)
    records, reading = catalogue.records(partition)
    row = question(0, records[0], reading)
    assert row.target is not None
    assert (row.key, row.target.asked) == (str(2**64 - 1), "1.5 41.1")


def test_images_named_one_by_one_are_asked_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.png", "a.JPG"):
        (tmp_path / name).write_bytes(b"x")
    found = source.find(["b.png", "a.JPG"])
    assert [key for key, _ in source.keys(found)] == ["b.png", "a.JPG"]
    assert source.find(["a.JPG"]).form is Form.IMAGES
    with pytest.raises(BatchError, match="is none by its name"):
        source.find(["a.JPG", "table.csv"])


def test_images_of_a_table_may_lie_in_another_folder(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("file,pgc\nhere.jpg,1\ngone.jpg,2\ngone.jpg,\n")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "here.jpg").write_bytes(b"x")
    found = source.find([str(tmp_path / "table.csv")], str(tmp_path / "images"))
    (partition,) = catalogue.partitions(catalogue.pieces(found, str(tmp_path / "out"), size=10), 10)
    here, gone, only = catalogue.rows_of(partition, found)
    assert here.file == "here.jpg"
    assert gone.target is not None
    assert "gone.jpg" in gone.warnings[0]
    assert only.file == "gone.jpg", "it may come, and is asked for until then"
