"""The journal, the ledger and the questions: what is known of a row, and by what it is known again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.journal import Journal, Lines, Result
from gateway.client.ledger import Ledger, State
from gateway.client.source import Question, Terms, clean, open_source
from gateway.client.stops import NoJournal
from gateway.core.errors import BadTable
from gateway.core.models import Target

if TYPE_CHECKING:
    from pathlib import Path


def result(key: str, *, twin: int = 0, passing: bool = False, **cells: Any) -> Result:
    return Result({"key": key, "asked": key, **cells}, twin, 1000.0, passing)


ANSWERS = [result(f"PGC {number}", inclination_deg=number / 2, release="first") for number in range(5)]


def kept(path: Path) -> list[Result]:
    with Journal(path) as journal:
        return [one for _, one in journal.results()]


def filled(path: Path) -> bytes:
    with Journal(path) as journal:
        for one in ANSWERS:
            journal.add(one)
    return path.read_bytes()


def test_results_are_found_again_by_where_they_begin(tmp_path: Path) -> None:
    long = result("long", warnings="é" * 9000)
    with Journal(tmp_path / "j") as journal:
        places = [journal.add(one) for one in (ANSWERS[0], long, ANSWERS[1])]
        assert [journal.at(place) for place in reversed(places)] == [ANSWERS[1], long, ANSWERS[0]]
        assert [place for place, _ in journal.results()] == places
    assert kept(tmp_path / "j") == [ANSWERS[0], long, ANSWERS[1]]


@given(cut=st.integers(min_value=0))
def test_a_journal_that_was_cut_anywhere_keeps_every_whole_line_and_takes_more(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    whole = filled(path)
    cut %= len(whole) + 1
    path.write_bytes(whole[:cut])
    header, *ends = (end + 1 for end, byte in enumerate(whole) if byte == ord("\n"))
    del header
    expected = [one for one, end in zip(ANSWERS, ends, strict=True) if end <= cut]
    # a line that lacks only its end is whole too
    if cut + 1 in ends:
        expected.append(ANSWERS[len(expected)])
    with Journal(path) as journal:
        journal.add(ANSWERS[4])
    assert kept(path) == [*expected, ANSWERS[4]]


@pytest.mark.parametrize("content", [b"my notes\n", b'{"inclinet-batch":2}\n', b"x"])
def test_a_file_that_is_no_journal_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(NoJournal, match="not a journal"):
        Journal(tmp_path / "j")
    assert (tmp_path / "j").read_bytes() == content


def test_a_journal_belongs_to_one_run(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        assert journal.is_empty
        with pytest.raises(NoJournal, match="Another run"):
            Journal(tmp_path / "j")
        journal.add(ANSWERS[0])
        assert not journal.is_empty
    assert kept(tmp_path / "j") == [ANSWERS[0]]


def test_a_temporary_file_has_no_name(tmp_path: Path) -> None:
    with Lines.temporary(tmp_path) as lines:
        assert lines.at(lines.add(ANSWERS[3])) == ANSWERS[3]
        assert not list(tmp_path.iterdir())


def test_lines_are_json_that_a_person_can_read(tmp_path: Path) -> None:
    said = [json.loads(line) for line in filled(tmp_path / "j").splitlines()]
    assert said[1] == {
        "at": 1000.0,
        "row": {"key": "PGC 0", "asked": "PGC 0", "inclination_deg": 0.0, "release": "first"},
    }


def asked(*keys: str) -> list[Question]:
    return [Question(number, key, key) for number, key in enumerate(keys)]


def ledger_of(path: Path, results: list[Result], *keys: str, retry_failed: bool = False) -> tuple[Ledger, bool]:
    ledger = Ledger(asked(*keys))
    lines = Lines.temporary(path)
    for one in results:
        lines.add(one)
    return ledger, ledger.take(lines, retry_failed=retry_failed)


@given(data=st.data())
def test_rows_are_known_again_in_any_order_also_where_some_are_the_same(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    keys = data.draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=12))
    twins = [keys[:number].count(key) for number, key in enumerate(keys)]
    results = [result(key, twin=twin, mark=number) for number, (key, twin) in enumerate(zip(keys, twins, strict=True))]
    table = data.draw(st.permutations(keys))
    ledger, same = ledger_of(tmp_path_factory.getbasetemp(), results, *table)
    assert ledger.count(State.ANSWERED) == len(keys)
    assert same == (table == keys)
    found = list(ledger.results())
    assert [one.row["key"] for one in found] == table
    assert sorted(one.row["mark"] for one in found) == list(range(len(keys)))
    counter = ledger.counter()
    assert [counter(key, key) for key in keys] == twins


def test_the_last_result_of_a_row_counts(tmp_path: Path) -> None:
    failed = result("a", problem_type="bad-image", problem="No.")
    ledger, _ = ledger_of(tmp_path, [failed, result("a", inclination_deg=60.0)], "a")
    assert ledger.state(0) is State.ANSWERED
    assert ledger.result(0).row["inclination_deg"] == 60.0
    ledger, _ = ledger_of(tmp_path, [result("a"), failed], "a")
    assert [one.row["problem"] for one in ledger.failures()] == ["No."]


def test_failures_are_open_again_where_they_may_have_passed_or_are_to_be_retried(tmp_path: Path) -> None:
    results = [
        result("a", problem_type="bad-image"),
        result("b", problem_type="busy", passing=True),
        result("c", release="first"),
    ]
    ledger, _ = ledger_of(tmp_path, results, "a", "b", "c")
    assert [ledger.state(number) for number in range(3)] == [State.FAILED, State.OPEN, State.ANSWERED]
    ledger, _ = ledger_of(tmp_path, results, "a", "b", "c", retry_failed=True)
    assert [ledger.state(number) for number in range(3)] == [State.OPEN, State.OPEN, State.ANSWERED]
    assert ledger.releases == {"first"}


def test_answers_to_rows_that_are_gone_are_told_and_failures_are_not(tmp_path: Path) -> None:
    results = [result("a"), result("gone"), result("gone", twin=1), result("bad", problem_type="bad-image")]
    ledger, same = ledger_of(tmp_path, results, "a")
    assert not same
    assert list(ledger.gone.values()) == ["gone", "gone"]


def test_a_table_says_what_is_asked(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        "id,pgc,name,ra,dec,file,fov,pa\n"
        "a,2557,,,,,4.50,\nb,,NGC 7331,,,,,30\nc,,,00:42:44,+41:16:09,,,\nd,,,,,m31.jpg,,\n,,,,,,,\n g\x07 ,9,,,,,,\n"
    )
    source = open_source([table], None, Terms(survey="sdss", r=0.2))
    questions = list(source.questions())
    assert [(one.key, one.asked) for one in questions] == [
        ("a", "PGC 2557 fov=4.5 survey=sdss r=0.2"),
        ("b", "NGC 7331 pa=30 survey=sdss r=0.2"),
        ("c", "00:42:44 +41:16:09 survey=sdss r=0.2"),
        ("d", "m31.jpg r=0.2"),
        ("row 5", ""),
        ("g", "PGC 9 survey=sdss r=0.2"),
    ]
    assert questions[0].target == Target(pgc=2557, fov_arcmin=4.5)
    assert questions[3].image == tmp_path / "m31.jpg"
    assert questions[4].problem is not None
    (moved,) = [one.image for one in open_source([table], tmp_path / "x", Terms()).questions() if one.image]
    assert moved == tmp_path / "x" / "m31.jpg"


def test_a_folder_gives_its_images_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.fits.gz", ".hidden.png", "notes.txt", "c.tif"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    source = open_source([tmp_path], None, Terms())
    assert [one.key for one in source.questions()] == ["a.fits.gz", "b.JPG", "c.tif"]
    with pytest.raises(BadTable, match="holds no images"):
        open_source([tmp_path / "folder.png"], None, Terms())


@given(st.text())
def test_text_is_cleaned_once_for_all(text: str) -> None:
    cleaned = clean(text)
    assert cleaned == clean(cleaned)
    assert cleaned.isprintable()
    assert cleaned == cleaned.strip()


def test_images_asked_as_a_whole_are_another_question_than_images_that_are_framed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    asked = {
        frame: [one.asked for one in open_source([tmp_path], None, Terms(frame=frame)).questions()]
        for frame in (None, "auto", "whole")
    }
    assert asked[None] == asked["auto"] == ["a.png"]
    assert asked["whole"] == ["a.png frame=whole"]
