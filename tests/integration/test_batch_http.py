"""How a run gets on with a gateway that fails in every way."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from batch.errors import BatchError, BatchStopped
from tests.support.batch_runs import PACE, MessageRecorder, kept, rows_of, run, table_of
from tests.support.scripted_gateway import ScriptedGateway, inclination_of, problem
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.live import Live

NUMBERS = range(1, 36)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return table_of(tmp_path / "table.csv", NUMBERS)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.csv"


def inclinations(out: Path) -> list[float]:
    return [float(row["inclination_deg"]) for row in rows_of(out)]


EXPECTED = [inclination_of(number) for number in NUMBERS]


def test_every_row_is_asked_once_and_written_in_order(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    report = run(table, out, live.url)
    assert (report.rows, report.tally.answered, report.reasons) == (35, 35, {})
    assert gateway.asked == Counter(NUMBERS)
    assert sorted(len(numbers) for _, numbers in gateway.calls) == [5, 10, 10, 10]
    assert inclinations(out) == EXPECTED
    first = rows_of(out)[0]
    assert (first["key"], first["asked"], first["name"], first["pgc"]) == ("PGC 1", "PGC 1", "NGC 1", "1")
    assert first["warnings"] == "One thing. And another."
    assert first["n_flavors"] == "4"


def test_no_more_calls_than_allowed_are_under_way(gateway: ScriptedGateway, live: Live, table: Path, out: Path) -> None:
    gateway.hold = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(run, table, out, live.url, pace=replace(PACE, concurrency=2))
        wait_until(lambda: len(gateway.calls) == 2, "two calls")
        gateway.hold.wait(0.3)  # time for a third one, which must not come
        assert len(gateway.calls) == 2
        gateway.hold.set()
        assert done.result(60).tally.answered == 35


def test_retry_after_is_waited_for(gateway: ScriptedGateway, live: Live, table: Path, out: Path) -> None:
    busy = problem("busy", 503, "All places are taken.")
    gateway.refusals = [JSONResponse(busy, 503, {"Retry-After": "1"}, "application/problem+json")]
    ear = MessageRecorder()
    run(table, out, live.url, ear, pace=replace(PACE, concurrency=1))
    (first, refused), (second, _), *_ = gateway.calls
    assert second - first >= 1.0
    assert "it answered 503: All places are taken" in ear.waits
    assert gateway.asked == Counter(NUMBERS) + Counter(refused)
    assert inclinations(out) == EXPECTED


@pytest.mark.parametrize(
    "refusal",
    [
        Response(status_code=429, headers={"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"}),
        Response(status_code=503, headers={"Retry-After": "soon"}),
        PlainTextResponse("<html>Bad gateway</html>", 502),
        JSONResponse(problem("internal", 500), 500),
    ],
)
def test_what_passes_is_waited_out(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path, refusal: Response
) -> None:
    gateway.refusals = [refusal] * 6
    assert run(table, out, live.url).tally.answered == 35
    assert inclinations(out) == EXPECTED


def test_what_came_before_a_connection_was_lost_is_not_asked_again(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    gateway.cuts = [7, 0, 3]
    assert run(table, out, live.url).tally.answered == 35
    assert inclinations(out) == EXPECTED
    # the first line that a cut call had still to send may be lost on its way
    assert max(gateway.answered.values()) <= 2
    assert sum(gateway.asked.values()) < 35 + 3 * 10


def test_a_gateway_that_is_gone_for_too_long_is_given_up_and_gone_on_with_later(
    gateway: ScriptedGateway, table: Path, out: Path
) -> None:
    hold = threading.Event()
    hold.set()

    def eight(line: str) -> str:
        if sum(gateway.answered.values()) == 8:
            hold.clear()
        return line

    gateway.hold, gateway.line = hold, eight
    with ThreadPoolExecutor(1) as pool:
        with gateway.live() as live:
            done = pool.submit(run, table, out, live.url, pace=replace(PACE, concurrency=1, patience_s=1.0))
            wait_until(lambda: sum(gateway.answered.values()) >= 8, "eight results")
        with pytest.raises(BatchStopped, match="No result from"):
            done.result(60)
    before = [row["pgc"] for row in kept(out)]
    assert before == list(range(1, len(before) + 1))
    assert 7 <= len(before) <= 8
    assert not out.exists()
    again = ScriptedGateway()
    with again.live() as live:
        assert run(table, out, live.url).tally.answered == 35
    assert again.asked == Counter(NUMBERS) - Counter(before)
    assert inclinations(out) == EXPECTED


def test_a_wait_beyond_the_patience_is_not_begun(gateway: ScriptedGateway, live: Live, table: Path, out: Path) -> None:
    gateway.refusals = [Response(status_code=429, headers={"Retry-After": "86400"})] * 9
    with pytest.raises(BatchStopped, match="asks to wait 86400 s"):
        run(table, out, live.url)


def test_where_no_gateway_ever_answered_the_run_ends_soon(table: Path, out: Path) -> None:
    with pytest.raises(BatchStopped, match="no gateway answers"):
        run(table, out, "http://127.0.0.1:9", pace=replace(PACE, first_patience_s=0.1))
    assert not list(out.parent.glob("out*"))


def test_a_row_whose_problem_passes_is_asked_again_and_answered(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    gateway.problems = {5: problem("upstream-unavailable", 503), 17: problem("deadline-exceeded", 504)}
    gateway.passing = Counter({5: 2, 17: 1})
    assert run(table, out, live.url).tally.answered == 35
    assert gateway.asked == Counter(NUMBERS) + Counter({5: 2, 17: 1})
    assert inclinations(out) == EXPECTED


def test_a_row_is_asked_no_more_often_than_allowed_and_a_final_problem_once(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    gateway.problems = {5: problem("upstream-unavailable", 503, "It is down."), 9: problem("not-a-galaxy", 422)}
    report = run(table, out, live.url, attempts=4)
    assert gateway.asked == Counter(NUMBERS) + Counter({5: 3})
    assert report.tally.answered == 33
    assert report.reasons == {
        "upstream-unavailable": (1, "PGC 5", "It is down."),
        "not-a-galaxy": (1, "PGC 9", "As told."),
    }
    row = rows_of(out)[4]
    assert (row["key"], row["problem_type"], row["inclination_deg"]) == ("PGC 5", "upstream-unavailable", "")


def test_rows_that_the_networks_were_too_few_for_wait_as_long_as_the_patience_lasts(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    gateway.problems = {number: problem("quorum-lost", 503, "Networks are missing.") for number in NUMBERS}
    gateway.passing = Counter(dict.fromkeys(NUMBERS, 9))
    ear = MessageRecorder()
    assert run(table, out, live.url, ear, attempts=1).tally.answered == 35
    assert "it answered 503: Networks are missing" in ear.waits
    gateway.passing = Counter()
    with pytest.raises(BatchStopped, match="Networks are missing"):
        run(table, out.with_name("other.csv"), live.url, attempts=1, pace=replace(PACE, patience_s=0.2))


def test_a_row_that_breaks_every_call_is_found_and_the_others_are_answered(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    gateway.poison = {23}
    report = run(table, out, live.url)
    assert report.tally.answered == 34
    assert report.reasons == {
        "internal": (1, "PGC 23", "The gateway did not answer on this row: it answered 500: It broke.")
    }


def test_calls_that_are_too_large_are_cut_and_those_to_come_too(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    gateway.most_rows = 3
    assert run(table, out, live.url, pace=replace(PACE, concurrency=1)).tally.answered == 35
    assert inclinations(out) == EXPECTED
    too_large = [numbers for _, numbers in gateway.calls if len(numbers) > 3]
    assert len(too_large) <= 3


@pytest.mark.parametrize(
    "line",
    ["not json", "{}", '{"row": 99, "ok": true}', '{"row": 0, "ok": true, "answer": {"release": "first"}}', "[1]"],
)
def test_lines_that_can_not_be_understood_never_become_results(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path, line: str
) -> None:
    broken = [line] * 5
    gateway.line = lambda good: broken.pop() if broken else good
    assert run(table, out, live.url).tally.answered == 35
    assert inclinations(out) == EXPECTED


def test_an_answer_that_ends_early_without_an_error_is_completed(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path
) -> None:
    gateway.ends = [4, 0, 9]
    assert run(table, out, live.url).tally.answered == 35
    assert gateway.answered == Counter(NUMBERS)
    assert inclinations(out) == EXPECTED


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (
            JSONResponse(problem("unauthorized", 401, "A key is needed."), 401),
            "401: A key is needed .*INCLINET_API_KEY",
        ),
        (Response(status_code=404), "404"),
        (Response(status_code=301, headers={"Location": "https://elsewhere"}), "301: moved to https://elsewhere"),
        (PlainTextResponse("Welcome"), "not an inclinet gateway"),
    ],
)
def test_a_refusal_that_no_waiting_changes_ends_the_run(
    gateway: ScriptedGateway, live: Live, table: Path, refusal: Response, words: str
) -> None:
    gateway.refusals = [refusal] * 4
    with pytest.raises(BatchError, match=words):
        run(table, table.with_name("out.csv"), live.url)


def test_a_key_is_shown_to_the_gateway(
    gateway: ScriptedGateway, live: Live, table: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INCLINET_API_KEY", "inclinet_secret")
    run(table, out, live.url)
    assert gateway.headers[0]["authorization"] == "Bearer inclinet_secret"
