"""A run goes on from the partitions that there are, and mixes nothing silently."""

from __future__ import annotations

import errno
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from astropy.table import Table
from pyarrow import parquet

from batch import storage
from batch.conversion import convert
from batch.errors import BatchError
from batch.http.engine import OtherRelease
from tests.support.batch_runs import MessageRecorder, kept, rows_of, run, table_of
from tests.support.scripted_gateway import ScriptedGateway, inclination_of, problem

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.live import Live

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.csv"


def keys(out: Path) -> list[str]:
    return [row["key"] for row in rows_of(out)]


def test_a_finished_result_is_not_asked_again(gateway: ScriptedGateway, live: Live, table: Path, out: Path) -> None:
    run(table_of(table, range(1, 26)), out, live.url)
    before = out.read_bytes()
    assert run(table, out, NOWHERE).tally.answered == 25
    assert out.read_bytes() == before
    assert gateway.asked == Counter(range(1, 26))


@pytest.mark.parametrize("suffix", ["ecsv", "vot", "fits", "parquet"])
def test_the_same_results_are_written_in_another_format_without_asking(
    live: Live, table: Path, out: Path, suffix: str
) -> None:
    run(table_of(table, range(1, 13)), out, live.url)
    other = out.with_suffix(f".{suffix}")
    run(table, other, NOWHERE)
    found = Table.read(other)
    assert list(found["pgc"]) == list(range(1, 13))
    assert list(found["inclination_deg"]) == [inclination_of(number) for number in range(1, 13)]
    assert str(found["inclination_deg"].unit) == "deg"
    assert found["warnings"][0] == "One thing. And another."


def test_a_folder_takes_the_partitions_themselves(live: Live, table: Path, out: Path) -> None:
    folder = out.with_suffix("")
    run(table_of(table, range(1, 26)), folder, live.url)
    parts = sorted(folder.glob("part-*"))
    assert [part.name for part in parts] == [f"part-{number:06d}.parquet" for number in range(3)]
    assert [row["pgc"] for part in parts for row in parquet.read_table(part).to_pylist()] == list(range(1, 26))
    assert b"IVOA.VOTable-Parquet.content" in parquet.read_schema(parts[0]).metadata


def test_rows_that_are_the_same_are_rows_of_their_own(live: Live, table: Path, out: Path) -> None:
    run(table_of(table, [7, 5, 7, 7]), out, live.url)
    assert keys(out) == ["PGC 7", "PGC 5", "PGC 7", "PGC 7"]


@pytest.mark.parametrize(
    ("numbers", "changes", "words"),
    [
        ([1, 2, 3], {}, "table.csv has changed since"),
        ([1, 2], {"r": 0.2}, "its r is None, not 0.2"),
    ],
)
def test_another_batch_is_refused_and_what_is_there_stays(
    live: Live, table: Path, numbers: list[int], changes: dict[str, Any], words: str
) -> None:
    out = table.with_name("out.csv")
    run(table_of(table, [1, 2]), out, live.url)
    before = out.read_bytes()
    with pytest.raises(BatchError, match=words):
        run(table_of(table, numbers), out, live.url, **changes)
    assert out.read_bytes() == before


def test_what_failed_is_asked_again_when_told_so_and_what_may_pass_always(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    gateway.problems = {3: problem("unknown-target", 404), 4: problem("upstream-broken", 502)}
    assert set(run(table_of(table, range(1, 7)), out, live.url).reasons) == {"unknown-target", "upstream-broken"}
    assert [row["problem_type"] for row in rows_of(out)][2:4] == ["unknown-target", "upstream-broken"]
    gateway.calls.clear()
    summary = run(table, out, live.url)
    assert (summary.unanswered, gateway.asked) == (1, Counter({4: 3}))
    gateway.problems, gateway.calls = {4: problem("not-a-galaxy", 422)}, []
    assert run(table, out, live.url).tally.answered == 4
    assert gateway.asked == Counter({4: 1})
    gateway.calls = []
    assert run(table, out, live.url, retry_failed=True).reasons == {"not-a-galaxy": (1, "PGC 4", "As told.")}
    assert gateway.asked == Counter({3: 1, 4: 1})


def test_results_of_another_release_are_not_mixed_unless_told_so(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    def renamed(line: str) -> str:
        answered = sum(gateway.answered.values())
        return line.replace('"release": "first"', '"release": "second"') if answered > 6 else line

    gateway.line = renamed
    with pytest.raises(OtherRelease, match="release second, and the results so far are of first"):
        run(table_of(table, range(1, 11)), out, live.url)
    assert [row["pgc"] for row in kept(out)] == list(range(1, 7))
    gateway.line, gateway.release, gateway.calls = None, "second", []
    ear = MessageRecorder()
    with pytest.raises(OtherRelease):
        run(table, out, live.url)
    run(table, out, live.url, ear, any_release=True)
    assert gateway.asked == Counter(range(7, 11)), "what had come is kept"
    assert [row["release"] for row in rows_of(out)] == ["first"] * 6 + ["second"] * 4


@pytest.mark.parametrize("damage", ["torn", "empty", "noise", "of fewer rows", "half written"])
def test_a_damaged_partition_is_asked_again_and_the_others_are_not(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path, damage: str
) -> None:
    run(table_of(table, range(1, 31)), out, live.url)
    part = out.with_suffix(".parts") / "part-000001.parquet"
    data = part.read_bytes()
    if damage == "of fewer rows":
        parquet.write_table(parquet.read_table(part).slice(0, 3), part)
    elif damage == "half written":
        part.rename(part.with_name(".part-000001.parquet.0123.partial"))
    else:
        part.write_bytes({"torn": data[:-20], "empty": b"", "noise": b"PAR1" + bytes(900)}[damage])
    gateway.calls = []
    run(table, out, live.url)
    assert gateway.asked == Counter(range(14 if damage == "of fewer rows" else 11, 21))
    assert [row["pgc"] for row in rows_of(out)] == [str(number) for number in range(1, 31)]
    assert not list(part.parent.glob(".part*"))


def test_two_runs_never_write_one_folder(live: Live, table: Path, out: Path) -> None:
    run(table_of(table, [1]), out, live.url)
    with storage.lock_folder(str(out.with_suffix(".parts"))), pytest.raises(BatchError, match="Another run"):
        run(table, out, live.url)


def test_files_that_are_something_else_are_left_alone(live: Live, table: Path, out: Path) -> None:
    parts = out.with_suffix(".parts")
    parts.mkdir()
    (parts / "notes.txt").write_text("my notes")
    with pytest.raises(BatchError, match=r"holds notes\.txt and no batch"):
        run(table_of(table, [1]), out, live.url)
    assert [path.name for path in parts.iterdir()] == ["notes.txt"]
    with pytest.raises(BatchError, match="a name of their own"):
        run(table, table, live.url)


def test_a_table_that_changes_while_it_is_asked_is_noticed(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    def changing(line: str) -> str:
        table_of(table, [3, 2, 1])
        return line

    gateway.line = changing
    with pytest.raises(BatchError, match="was changed while it was asked"):
        run(table_of(table, [1, 2]), out, live.url)
    assert not out.exists()


def test_columns_of_the_table_are_carried_along(live: Live, table: Path, out: Path) -> None:
    table_of(table, [4, 5], name="mine", mag="12.50", number="007")
    table.write_text(table.read_text().replace("5,mine,12.50", "5,mine,"))
    run(table, out, live.url, keep_columns=True)
    first, second = rows_of(out)
    assert (first["name"], first["in_name"], first["pgc"], first["in_pgc"]) == ("NGC 4", "mine", "4", "4")
    assert (first["mag"], first["number"], second["mag"]) == ("12.5", "007", "")
    run(table, out, NOWHERE)
    assert "number" not in rows_of(out)[0]


def test_the_result_stays_as_it_was_when_the_new_one_can_not_be_written(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(table_of(table, [4]), out, live.url)
    before = out.read_bytes()

    def full(file: Any, *_: object) -> None:
        file.write(b"key,as")
        if file.name.endswith(".partial"):
            raise OSError(errno.ENOSPC, "No space left on device", file.name)

    with monkeypatch.context() as patched:
        patched.setitem(convert._WRITERS, "csv", full)  # noqa: SLF001 - a disk that fills up in the middle
        patched.setattr(convert, "rehearse", lambda *_: None)
        with pytest.raises(OSError, match="No space left"):
            run(table, out, live.url)
    assert out.read_bytes() == before
    assert sorted(path.name for path in out.parent.iterdir()) == ["out.csv", "out.parts", "table.csv"]
    run(table, out, NOWHERE)
    assert gateway.asked == Counter([4])
