"""A batch takes its catalogue from a bucket and leaves its results there."""

from __future__ import annotations

import csv
import io
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import s3fs
from pyarrow import parquet
from upath import UPath

from batch.errors import BatchError, BatchStopped
from batch.outputs import results
from tests.support import hats_catalogues as hats
from tests.support.batch_runs import run
from tests.support.s3 import BUCKET, S3Server
from tests.support.scripted_gateway import ScriptedGateway, inclination_of, problem
from tests.support.serving import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.live import Live

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("large libraries")]

NUMBERS = range(1, 36)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    with S3Server(monkeypatch) as store:
        yield store


def put(store: S3Server, name: str, data: bytes) -> str:
    store.files.pipe_file(f"{BUCKET}/{name}", data)
    return f"s3://{BUCKET}/{name}"


def table(store: S3Server) -> str:
    return put(store, "in/table.csv", b"pgc\n" + b"".join(f"{number}\n".encode() for number in NUMBERS))


def rows_of(store: S3Server, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(store.files.cat_file(f"{BUCKET}/{name}").decode())))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_catalogue_in_a_bucket_becomes_a_table_in_it(store: S3Server, live: Live, form: str) -> None:
    what = table(store)
    if form == "parquet":
        made = io.BytesIO()
        parquet.write_table(pa.table({"pgc": list(NUMBERS)}), made, row_group_size=7)
        what = put(store, "in/table.parquet", made.getvalue())
    summary = run(what, f"s3://{BUCKET}/out/result.csv", live.url)
    assert (summary.rows, summary.tally.answered) == (35, 35)
    assert [float(row["inclination_deg"]) for row in rows_of(store, "out/result.csv")] == [
        inclination_of(number) for number in NUMBERS
    ]


def test_a_run_goes_on_in_the_bucket_where_it_ended_and_leaves_one_file_a_partition(
    store: S3Server, gateway: ScriptedGateway, live: Live
) -> None:
    what, out = table(store), f"s3://{BUCKET}/out"
    gateway.problems, gateway.passing = {17: problem("upstream-unavailable", 503)}, Counter({17: 3})
    assert run(what, out, live.url).unanswered == 1
    assert run(what, out, live.url).unanswered == 0
    names = sorted(path.rpartition("/")[2] for path in store.files.find(f"{BUCKET}/out"))
    assert names == ["_batch.json", "_catalogue.parquet", *(f"part-{number:06d}.parquet" for number in range(4))]
    rows = [row for number in range(4) for row in results.decoded(f"{out}/part-{number:06d}.parquet")[0]]
    assert [row["inclination_deg"] for row in rows] == [inclination_of(number) for number in NUMBERS]
    assert all(gateway.answered[number] == 1 for number in NUMBERS)


def test_a_hats_catalogue_in_a_bucket_becomes_one_in_it(store: S3Server, live: Live, tmp_path: Path) -> None:
    columns = {**hats.scattered(35), "object_id": [100 + number for number in NUMBERS], "pgc": list(NUMBERS)}
    store.files.put(
        str(hats.import_catalogue(columns, tmp_path / "galaxies", most=35)), f"{BUCKET}/galaxies", recursive=True
    )
    what, out = f"s3://{BUCKET}/galaxies", f"s3://{BUCKET}/inclinations"
    for _ in range(2):  # a result is written anew where there is one
        run(what, out, live.url, hats=True)
    found = hats.rows_of(hats.opened(UPath(out)))
    assert {row["object_id"]: row["inclination_deg"] for row in found} == {
        100 + number: inclination_of(number) for number in NUMBERS
    }
    store.files.pipe_file(f"{BUCKET}/mine/notes.txt", b"mine")
    with pytest.raises(BatchError, match=r"holds notes\.txt and is no earlier result"):
        run(what, f"s3://{BUCKET}/mine", live.url, hats=True)


def refused(kind: type[BatchError], gateway: Live, what: str, out: str) -> str:
    """Return what a run says that is refused before anything is asked."""
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(kind) as caught:
        run(what, out, gateway.url)
    assert type(caught.value) is kind
    return str(caught.value)


def test_what_is_missing_is_said_in_a_sentence_before_the_run(
    store: S3Server, live: Live, gateway: ScriptedGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what, out = table(store), f"s3://{BUCKET}/out"
    local = tmp_path / "table.csv"
    local.write_text("pgc\n1\n")
    assert "There is nothing at s3://nobody/table.csv" in refused(BatchError, live, "s3://nobody/table.csv", out)
    assert "s3://nobody/out can't be written: The specified bucket does not exist" in refused(
        BatchError, live, what, "s3://nobody/out"
    )
    store.refuse()
    assert "The credentials for s3://survey/in/table.csv don't let in" in refused(BatchError, live, what, out)
    assert "The credentials for s3://survey/out don't let in" in refused(BatchError, live, str(local), out)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    said = refused(BatchError, live, what, out)
    assert said.startswith("There are no credentials for s3://survey/in/table.csv: ")
    assert "AWS_ACCESS_KEY_ID" in said
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    assert "s3://survey/in/table.csv can't be reached" in refused(BatchStopped, live, what, out)
    assert not gateway.calls
