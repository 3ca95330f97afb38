"""A catalogue in HATS is measured as any other, and the result is one that LSDB opens and joins to it."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyarrow import parquet

from batch.errors import BatchError, BatchStopped
from batch.outputs.results import COLUMNS
from tests.support import hats_catalogues as hats
from tests.support.batch_runs import PACE, MessageRecorder, run
from tests.support.batch_runs import rows_of as rows_of_csv
from tests.support.hats_catalogues import opened, quietly
from tests.support.scripted_gateway import ScriptedGateway, inclination_of, problem

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.live import Live

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("large libraries")]

NUMBERS = range(1, 61)
COUNT = len(NUMBERS)
ID = 7_000_000_000_000_000_000
"""Which no float keeps."""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    columns = {
        **hats.scattered(COUNT),
        "object_id": [ID + number for number in NUMBERS],
        "pgc": list(NUMBERS),
        "name": [f"galaxy {number}" for number in NUMBERS],
        "mag": np.linspace(10, 20, COUNT).astype(np.float32),
        "epochs": [[float(number), 2.0] for number in NUMBERS],
    }
    return hats.import_catalogue(columns, tmp_path_factory.mktemp("hats") / "galaxies")


@pytest.fixture
def own(catalogue: Path, tmp_path: Path) -> Path:
    """A copy of the catalogue, for a test that changes it."""
    return shutil.copytree(catalogue, tmp_path / "own")


def rewritten(path: Path, **changed: str | None) -> None:
    """Change what the properties of a catalogue say; None takes a line away."""
    for name in ("hats.properties", "properties"):
        said = dict(line.split("=", 1) for line in (path / name).read_text().splitlines() if "=" in line)
        kept = {key: value for key, value in (said | changed).items() if value is not None}
        (path / name).write_text("".join(f"{key}={value}\n" for key, value in kept.items()))


def assert_every_row_once(out: Path) -> list[dict[str, Any]]:
    """Hold that a result has the galaxies of the catalogue, each once with its own inclination; return its rows."""
    rows = hats.rows_of(opened(out))
    assert sorted(row["object_id"] for row in rows) == [ID + number for number in NUMBERS]
    for row in rows:
        assert row["inclination_deg"] == inclination_of(row["object_id"] - ID)
    return rows


def test_lsdb_opens_the_result_and_joins_it_by_id_and_by_index(catalogue: Path, live: Live, tmp_path: Path) -> None:
    out, ear = tmp_path / "out", MessageRecorder()
    summary = run(catalogue, out, live.url, ear, hats=True)
    assert (summary.rows, summary.tally.answered, summary.failed_partitions) == (COUNT, COUNT, 0)
    assert ear.notes[0] == "galaxies is a HATS catalogue; its 19 files are asked in the order of its pixels."
    rows = assert_every_row_once(out)
    assert list(rows[0])[:4] == ["_healpix_29", "ra", "dec", "object_id"]
    assert list(rows[0])[4:] == [column.name for column in COLUMNS]
    assert sorted(row["row"] for row in rows) == list(range(COUNT))
    assert hats.is_valid(out)
    with quietly():
        before, after = opened(catalogue), opened(out)
        assert before.get_healpix_pixels() == after.get_healpix_pixels()
        assert len({pixel.order for pixel in after.get_healpix_pixels()}) > 2
        both = before.join(
            *(after, "object_id", "object_id"), suffixes=("", "_measured"), suffix_method="overlapping_columns"
        )
        joined = hats.rows_of(both)
        assert Counter(row["pgc"] for row in joined) == Counter(NUMBERS)
        assert all(row["inclination_deg"] == inclination_of(row["pgc"]) for row in joined)
        indexes = {row["object_id"]: row["_healpix_29"] for row in hats.rows_of(before)}
        assert {row["object_id"]: row["_healpix_29"] for row in rows} == indexes
        near = hats.rows_of(after.cone_search(152.5, 2.5, 7200))
        assert {row["object_id"] for row in near} == {
            row["object_id"] for row in hats.rows_of(before.cone_search(152.5, 2.5, 7200))
        }
        assert 0 < len(near) < COUNT


def test_units_descriptions_and_the_release_stand_in_the_files(catalogue: Path, live: Live, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(catalogue, out, live.url, hats=True)
    schema = parquet.read_schema(out / "dataset" / "_common_metadata")
    assert schema.field("inclination_deg").metadata[b"unit"] == b"deg"
    assert schema.metadata[b"inclinet.release"] == b"first"
    properties = (out / "hats.properties").read_text()
    assert "inclinet_release=first" in properties
    assert "prov_progenitor=galaxies" in properties
    assert f"hats_nrows={COUNT}" in properties


def test_a_row_with_a_problem_is_a_row_at_its_place(
    gateway: ScriptedGateway, catalogue: Path, live: Live, tmp_path: Path
) -> None:
    gateway.problems = {7: problem("bad-image", 422)}
    summary = run(catalogue, tmp_path / "out", live.url, hats=True)
    assert summary.tally.answered == COUNT - 1
    rows = {row["object_id"] - ID: row for row in hats.rows_of(opened(tmp_path / "out"))}
    assert sorted(rows) == list(NUMBERS)
    assert rows[7]["problem_type"] == "bad-image"
    original = {row["pgc"]: row for row in hats.rows_of(opened(catalogue))}
    assert all(rows[number]["ra"] == original[number]["ra"] for number in NUMBERS)


def test_a_run_that_was_broken_off_goes_on_and_a_result_is_written_anew(
    gateway: ScriptedGateway, catalogue: Path, live: Live, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    gateway.poison = {30}
    with pytest.raises(BatchStopped):
        run(catalogue, out, live.url, hats=True, pace=type(PACE)(concurrency=1, patience_s=0.0, backoff_s=0.0))
    assert not out.exists()
    # as a run leaves it that was killed while it wrote the result
    (tmp_path / "out.parts" / "_hats" / "dataset").mkdir(parents=True)
    gateway.poison, gateway.problems = set(), {7: problem("bad-image", 422)}
    before = Counter(gateway.answered)
    run(catalogue, out, live.url, hats=True)
    assert all(gateway.answered[number] == 1 for number in NUMBERS if before[number]), "none is asked twice"
    gateway.problems = {}
    run(catalogue, out, live.url, hats=True, retry_failed=True)
    assert_every_row_once(out)
    assert {path.name for path in (tmp_path / "out.parts").iterdir() if path.is_dir()} <= {"_unfinished"}


def test_all_columns_are_carried_along_as_they_are_under_a_free_name(
    catalogue: Path, live: Live, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(catalogue, out, live.url, hats=True, keep_columns=True)
    first = parquet.read_schema(next(catalogue.glob("dataset/**/*.parquet")))
    made = parquet.read_schema(next(out.glob("dataset/**/*.parquet")))
    for name, new in (("mag", "mag"), ("epochs", "epochs"), ("name", "in_name"), ("pgc", "in_pgc")):
        assert made.field(new).type == first.field(name).type
    for row in hats.rows_of(opened(out)):
        assert row["in_name"] == f"galaxy {row['in_pgc']}"
        assert list(row["epochs"]) == [float(row["in_pgc"]), 2.0]


def test_a_collection_is_asked_by_its_main_catalogue_and_its_indexed_columns_are_ids(
    catalogue: Path, live: Live, tmp_path: Path
) -> None:
    collection, out = tmp_path / "survey", tmp_path / "out"
    shutil.copytree(catalogue, collection / "galaxies")
    # hats-import makes no index with Python 3.11 and a newer Dask than 2025.3; what a collection says of one is this
    said = "obs_collection=survey\nhats_primary_table_url=galaxies\nall_indexes=object_id galaxies_object_id\n"
    (collection / "collection.properties").write_text(said)
    # without a key of its own, the index of the collection says what identifies a row
    run(collection, out, live.url, hats=True, choice={"key": ""})
    assert_every_row_once(out)


def test_a_result_of_hats_can_be_any_table_and_no_file_beside_the_pixels_is_asked(
    catalogue: Path, own: Path, live: Live, tmp_path: Path
) -> None:
    shutil.copy(next(own.glob("dataset/**/*.parquet")), own / "data_thumbnail.parquet")
    run(own, tmp_path / "out.csv", live.url)
    rows = rows_of_csv(tmp_path / "out.csv")
    assert [row["key"] for row in rows] == [str(row["object_id"]) for row in _in_order(catalogue)]


def _in_order(catalogue: Path) -> list[dict[str, Any]]:
    return sorted(hats.rows_of(opened(catalogue)), key=lambda row: row["_healpix_29"])


def test_pixels_may_be_folders_and_the_index_may_be_missing(own: Path, live: Live, tmp_path: Path) -> None:
    for file in list(own.glob("dataset/**/Npix=*.parquet")):
        table = parquet.read_table(file, partitioning=None).drop_columns(["_healpix_29"])
        folder = file.with_suffix("")
        folder.mkdir()
        middle = len(table) // 2
        for number, part in enumerate((table.slice(0, middle), table.slice(middle))):
            parquet.write_table(part, folder / f"part{number}.parquet")
        file.unlink()
    for name in ("_metadata", "_common_metadata"):
        (own / "dataset" / name).unlink()
    rewritten(own, hats_npix_suffix="/", hats_col_healpix=None, hats_col_healpix_order=None)
    out = tmp_path / "out"
    run(own, out, live.url, hats=True)
    rows = assert_every_row_once(out)
    assert all(row["_healpix_29"] > 0 for row in rows)
    assert hats.is_valid(out)


def test_what_can_not_be_is_refused_in_a_sentence_before_anything_is_asked(
    gateway: ScriptedGateway, catalogue: Path, own: Path, live: Live, tmp_path: Path
) -> None:
    def refused(what: Path, out: str = "out", **changed: Any) -> str:
        with pytest.raises(BatchError) as caught:
            run(what, tmp_path / out, live.url, hats=True, **changed)
        return str(caught.value)

    assert "has the name of a table" in refused(catalogue, "out.fits")
    assert "is what is asked" in refused(own, "own")
    (tmp_path / "table.csv").write_text("pgc\n1\n")
    assert "is no HATS catalogue" in refused(tmp_path / "table.csv")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").touch()
    assert "holds mine.txt and is no earlier result" in refused(catalogue, "taken")
    rewritten(own, dataproduct_type="margin", hats_primary_table_url="galaxies", hats_margin_threshold="10.0")
    assert "type margin" in refused(own)
    rewritten(own, dataproduct_type="object")
    rewritten(own, hats_col_ra="right")
    assert "'right'" in refused(own)
    next(own.glob("dataset/**/Npix=*.parquet")).unlink()
    assert "of which it has no file" in refused(own)
    rewritten(own, dataproduct_type="nonsense")
    assert "can't be read" in refused(own)
    assert not gateway.calls
    assert not (tmp_path / "out").exists()


def test_where_the_library_is_missing_it_is_named(
    catalogue: Path, live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name == "batch.hats.reading" or name.split(".")[0] == "hats"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "hats", None)
    monkeypatch.delattr("batch.hats.reading")
    with pytest.raises(
        BatchError, match=r"need hats, which is not installed here: pip install 'inclinet-service\[hats"
    ):
        run(catalogue, tmp_path / "out", live.url)


def test_a_result_that_has_not_the_rows_of_the_catalogue_is_not_written(
    catalogue: Path, live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from batch.hats.result import HatsResult  # seconds, which every worker of a test run would spend

    out, written = tmp_path / "out", HatsResult.write

    def one_too_few(self: HatsResult, out: str, folder: str, rows: Any, about: Any) -> None:
        written(self, out, folder, lambda: list(rows())[:-1], about)

    monkeypatch.setattr(HatsResult, "write", one_too_few)
    with pytest.raises(BatchError, match="other rows than galaxies"):
        run(catalogue, out, live.url, hats=True)
    assert not out.exists()
