"""A run goes on from what there is, asks nothing twice, and mixes nothing silently."""

from __future__ import annotations

import errno
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO

import pytest
from astropy.table import Table

from gateway.client.journal import Journal
from gateway.client.source import Terms
from gateway.client.stops import NoJournal, OtherRelease, Unusable
from gateway.core.errors import BadTable
from tests.support.batch_runs import Ear, rows_of, run, table_of
from tests.support.scripted_gateway import ScriptedGateway, inclination_of, problem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.live import Live

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def gateway() -> ScriptedGateway:
    return ScriptedGateway()


@pytest.fixture
def live(gateway: ScriptedGateway) -> Iterator[Live]:
    with gateway.live() as live:
        yield live


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.csv"


def keys(out: Path) -> list[str]:
    return [row["key"] for row in rows_of(out)]


def test_a_finished_table_is_neither_asked_nor_written_again(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    run(table_of(table, range(1, 26)), out, live.url)
    before = (out.read_bytes(), out.stat().st_mtime_ns, out.stat().st_ino)
    assert run(table, out, NOWHERE).answered == 25
    assert (out.read_bytes(), out.stat().st_mtime_ns, out.stat().st_ino) == before
    assert gateway.asked == Counter(range(1, 26))


@pytest.mark.parametrize("suffix", ["csv", "ecsv", "vot", "fits", "parquet"])
def test_only_what_is_new_in_the_table_is_asked_and_written_in_its_order(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path, suffix: str
) -> None:
    out = out.with_suffix(f".{suffix}")
    run(table_of(table, [4, 8, 6]), out, live.url)
    gateway.calls.clear()
    run(table_of(table, [9, 8, 6, 7, 4]), out, live.url)
    assert gateway.asked == Counter([9, 7])
    # the same results in another format
    as_csv = out.with_name("copy.csv")
    as_csv.write_bytes(out.read_bytes())
    run(table_of(table, [8, 4, 6, 7, 9]), as_csv, NOWHERE)
    rows = rows_of(as_csv)
    assert [row["key"] for row in rows] == ["PGC 8", "PGC 4", "PGC 6", "PGC 7", "PGC 9"]
    assert [float(row["inclination_deg"]) for row in rows] == [inclination_of(number) for number in (8, 4, 6, 7, 9)]
    assert {row["warnings"] for row in rows} == {"One thing. And another."}


def test_a_result_that_is_given_another_suffix_becomes_that_format(live: Live, table: Path, out: Path) -> None:
    run(table_of(table, range(1, 4)), out, live.url)
    before, as_fits = out.read_bytes(), out.with_suffix(".fits")
    out.rename(as_fits)
    run(table, as_fits, NOWHERE)
    assert list(Table.read(as_fits)["pgc"]) == [1, 2, 3]
    as_fits.rename(out)
    run(table, out, NOWHERE)
    assert out.read_bytes() == before


def test_rows_that_are_the_same_are_rows_of_their_own(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    run(table_of(table, [7, 7, 5]), out, live.url)
    run(table_of(table, [7, 5, 7, 7]), out, live.url)
    assert gateway.asked == Counter({7: 3, 5: 1})
    assert keys(out) == ["PGC 7", "PGC 5", "PGC 7", "PGC 7"]


def test_answers_to_what_the_table_has_no_longer_are_never_lost_silently(live: Live, table: Path, out: Path) -> None:
    run(table_of(table, range(1, 6)), out, live.url)
    before = out.read_bytes()
    with pytest.raises(Unusable, match=r"2 answers to what .*table.csv does not ask \(such as PGC 4\).*--forget"):
        run(table_of(table, range(1, 4)), out, NOWHERE)
    assert out.read_bytes() == before
    ear = Ear()
    run(table, out, NOWHERE, ear, forget=True)
    assert keys(out) == ["PGC 1", "PGC 2", "PGC 3"]
    assert any("2 answers" in note for note in ear.notes)


def test_a_question_that_changed_under_its_key_is_noticed(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    table.write_text("id,pgc,fov\na,4,1\nb,5,2\n")
    run(table, out, live.url)
    table.write_text("id,pgc,fov\na,4,1\nb,5,3\n")
    with pytest.raises(Unusable, match="such as b"):
        run(table, out, live.url)
    run(table, out, live.url, forget=True)
    assert gateway.asked == Counter({4: 1, 5: 2})
    assert [row["asked"] for row in rows_of(out)] == ["PGC 4 fov=1", "PGC 5 fov=3"]


def test_other_terms_are_another_question(live: Live, table: Path, out: Path) -> None:
    run(table_of(table, [4]), out, live.url, terms=Terms(r=0.2, survey="sdss"))
    assert rows_of(out)[0]["asked"] == "PGC 4 survey=sdss r=0.2"
    with pytest.raises(Unusable, match="1 answer to"):
        run(table, out, live.url)


def test_what_failed_is_asked_again_when_told_so_only(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    gateway.problems = {3: problem("unknown-target", 404), 4: problem("upstream-broken", 502)}
    assert set(run(table_of(table, range(1, 7)), out, live.url).failures) == {"unknown-target", "upstream-broken"}
    gateway.problems = {4: problem("upstream-broken", 502)}
    gateway.calls.clear()
    assert run(table, out, live.url).answered == 4
    assert not gateway.calls
    assert run(table, out, live.url, retry_failed=True).failures == {"upstream-broken": (1, "PGC 4", "As told.")}
    assert gateway.asked == Counter({3: 1, 4: 3})


def test_a_row_that_could_not_be_asked_is_replaced_by_its_correction(live: Live, table: Path, out: Path) -> None:
    assert run(table_of(table, [4, "what"]), out, live.url).failures["bad-target"][0] == 1
    assert run(table_of(table, [4, 12]), out, live.url).failures == {}
    assert keys(out) == ["PGC 4", "PGC 12"]


def test_a_finished_table_of_another_release_is_not_added_to(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    run(table_of(table, [4]), out, live.url)
    gateway.release = "second"
    with pytest.raises(OtherRelease, match="release second, and the results so far are of first"):
        run(table_of(table, [4, 5]), out, live.url)
    assert gateway.asked == Counter([4])
    run(table, out, live.url, any_release=True)
    assert [row["release"] for row in rows_of(out)] == ["first", "second"]


def kept(gateway: ScriptedGateway, url: str, table: Path, out: Path) -> Path:
    """Leave a journal of the first six rows of ten."""
    answered: list[str] = []

    def six(line: str) -> str:
        answered.append(line)
        return line if len(answered) <= 6 else line.replace('"release": "first"', '"release": "second"')

    gateway.line = six
    with pytest.raises(OtherRelease):
        run(table_of(table, range(1, 11)), out, url)
    gateway.line = None
    gateway.calls.clear()
    return out.with_name("out.csv.partial")


def test_a_journal_is_gone_on_with(gateway: ScriptedGateway, live: Live, table: Path, out: Path) -> None:
    kept(gateway, live.url, table, out)
    ear = Ear()
    run(table, out, live.url, ear)
    assert gateway.asked == Counter(range(7, 11))
    assert "6 of 10 rows have their result from an earlier run." in ear.notes
    assert "asking 10, 6 done, 0 failed" in ear.notes
    assert keys(out) == [f"PGC {number}" for number in range(1, 11)]


@pytest.mark.parametrize("damage", ["torn", "torn after a letter", "zeros", "noise", "torn header"])
def test_a_damaged_journal_costs_the_damaged_rows_only(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path, damage: str
) -> None:
    journal = kept(gateway, live.url, table, out)
    header, *lines = journal.read_bytes().splitlines(keepends=True)
    lost = {6}
    if damage == "torn":
        lines[5] = lines[5][:-20]
    elif damage == "torn after a letter":
        lines[5] = lines[5][:1]
    elif damage == "zeros":
        lines[5] = bytes(700)
    elif damage == "noise":
        lines[2], lost = b"\xff\xfe{[\n", {3}
    else:
        header, lines, lost = header[:7], [], set(range(1, 7))
    journal.write_bytes(header + b"".join(lines))
    run(table, out, live.url)
    assert gateway.asked == Counter(lost | set(range(7, 11)))
    assert keys(out) == [f"PGC {number}" for number in range(1, 11)]
    assert not journal.exists()


def test_a_journal_and_a_finished_table_are_both_gone_on_with(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    run(table_of(table, [2, 3, 40]), out, live.url)
    kept(gateway, live.url, table_of(table, [2, 3, 40]), out.with_name("other.csv"))
    out.with_name("other.csv.partial").rename(out.with_name("out.csv.partial"))
    run(table_of(table, [40, *range(1, 11)]), out, live.url)
    assert gateway.asked == Counter(range(7, 11))
    assert keys(out) == ["PGC 40", *(f"PGC {number}" for number in range(1, 11))]


def test_two_runs_never_write_one_journal(live: Live, table: Path, out: Path) -> None:
    with Journal(out.with_name("out.csv.partial")), pytest.raises(NoJournal, match="Another run"):
        run(table_of(table, [1]), out, live.url)


def test_files_that_are_something_else_are_left_alone(live: Live, table: Path, out: Path) -> None:
    table_of(table, [1])
    journal = out.with_name("out.csv.partial")
    journal.write_text("my notes")
    with pytest.raises(NoJournal, match="not a journal"):
        run(table, out, live.url)
    assert journal.read_text() == "my notes"
    journal.unlink()
    out.write_text("a,b\n1,2\n")
    with pytest.raises(BadTable, match="no result of inclinet batch"):
        run(table, out, live.url)
    assert out.read_text() == "a,b\n1,2\n"
    assert not journal.exists()
    with pytest.raises(Unusable, match="a name of their own"):
        run(table, table, live.url)


def test_a_table_that_changes_while_it_is_asked_is_noticed(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    def changing(line: str) -> str:
        table_of(table, [3, 2, 1])
        return line

    gateway.line = changing
    with pytest.raises(Unusable, match="was changed while it was asked"):
        run(table_of(table, [1, 2]), out, live.url)
    assert not out.exists()
    gateway.line = None
    run(table, out, live.url)
    assert gateway.asked == Counter([1, 2, 3])
    assert [(row["key"], float(row["inclination_deg"])) for row in rows_of(out)] == [
        (f"PGC {number}", inclination_of(number)) for number in (3, 2, 1)
    ]


def test_columns_of_the_table_are_carried_along_and_kept_true(live: Live, table: Path, out: Path) -> None:
    table_of(table, [4, 5], name="mine", mag="12.50", number="007")
    table.write_text(table.read_text().replace("5,mine,12.50", "5,mine,"))
    run(table, out, live.url, keep_columns=True)
    first, second = rows_of(out)
    assert (first["name"], first["in_name"], first["pgc"], first["in_pgc"]) == ("NGC 4", "mine", "4", "4")
    assert (first["mag"], first["number"], second["mag"]) == ("12.5", "007", "")
    table.write_text(table.read_text().replace("007", "008"))
    run(table, out, NOWHERE, keep_columns=True)
    assert rows_of(out)[0]["number"] == "008"
    run(table, out, NOWHERE)
    assert "number" not in rows_of(out)[0]


def test_the_result_stays_as_it_was_when_the_new_one_can_not_be_written(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(table_of(table, [4]), out, live.url)
    before = out.read_bytes()

    def full(file: BinaryIO, *_: object) -> None:
        file.write(b"key,as")
        raise OSError(errno.ENOSPC, "No space left on device", file.name)

    with monkeypatch.context() as patched:
        patched.setattr("gateway.client.outfile.writers.write", full)
        with pytest.raises(OSError, match="No space left"):
            run(table_of(table, [4, 5]), out, live.url)
    assert out.read_bytes() == before
    assert sorted(path.name for path in out.parent.iterdir()) == ["out.csv", "out.csv.partial", "table.csv"]
    run(table, out, NOWHERE)
    assert keys(out) == ["PGC 4", "PGC 5"]
    assert gateway.asked == Counter([4, 5])
