"""Batches as tables, on a real server: rows come while others are worked on, and work ends when the client leaves."""

from __future__ import annotations

import asyncio
import csv
import io
import socket
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import httpx
import pytest
from astropy.io.votable import parse_single_table, validate

from gateway.core import errors
from gateway.measure import many
from gateway.tables import results
from gateway.tables.cells.rows import Row
from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE
from tests.support.live import Live, live_gateway
from tests.support.manifests import models_of
from tests.support.pictures import disc, encoded
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from gateway.measure.one import Inclinations

PNG = encoded(disc(128), "PNG")
BAD = b"not an image"
FORMATS = ["csv", "votable", "json"]
ROWS = 40
FIRST = {"csv": b"key,name,", "votable": b"<TABLEDATA>"}


def images(count: int, *, bad: tuple[int, ...] = ()) -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", (f"{number:03d}.png", BAD if number in bad else PNG)) for number in range(count)]


@pytest.fixture
def held() -> FakeServing:
    return FakeServing(models_of(RELEASE))


@pytest.fixture
def live(held: FakeServing) -> Iterator[Live]:
    # One row at a time, so that none overtakes another and the networks can be stopped between any two, and no time
    # limit that would end them.
    patient = {"request_timeout_s": 600, "predict_timeout_s": 600}
    with live_gateway(held, max_batch=1, batches_in_flight=1, batch_concurrency=1, **patient) as gateway:
        yield gateway


def test_the_head_of_a_table_and_the_first_rows_come_while_the_networks_hold(held: FakeServing, live: Live) -> None:
    for file_format in ("csv", "votable"):
        held.hold_after = 0
        held.batches.clear()
        url = f"{live.url}/api/batch?format={file_format}"
        with httpx.stream("POST", url, files=images(6), timeout=60) as answer:
            assert answer.status_code == 200
            assert answer.headers["x-inclinet-rows"] == "6"
            assert answer.headers["x-accel-buffering"] == "no"
            assert answer.headers["content-type"].startswith(
                results.MEDIA_TYPES[results.Format(file_format)].split(";")[0]
            )
            parts = answer.iter_bytes()
            body = b""
            while FIRST[file_format] not in body:
                body += next(parts)
            assert b"002.png" not in body
            held.hold_after = 3
            while b"002.png" not in body:
                body += next(parts)
            assert b"005.png" not in body
            held.hold_after = None
            body += b"".join(parts)
        assert body.count(b".png") == 6


@pytest.mark.parametrize("file_format", FORMATS)
def test_nothing_reaches_the_networks_for_a_client_that_left(file_format: str, held: FakeServing, live: Live) -> None:
    held.hold_after = 3
    with httpx.stream("POST", f"{live.url}/api/batch?format={file_format}", files=images(ROWS), timeout=60) as answer:
        assert answer.status_code == 200
        wait_until(lambda: held.seen("vgg6_m0") >= 3, "the networks to hold")
    wait_until(lambda: inside(live) == 0, "the work of a client that left to be dropped")
    held.hold_after = None
    # this one comes behind whatever was still waiting
    assert httpx.post(f"{live.url}/api/file", files=images(1), timeout=60).status_code == 200
    assert held.seen("vgg6_m0") <= 6


@pytest.mark.parametrize("path", ["/api/file", "/api/file?format=csv"])
def test_a_single_image_is_dropped_too_when_its_client_leaves(path: str, held: FakeServing, live: Live) -> None:
    held.hold_after = 0
    request = httpx.Request("POST", f"{live.url}{path}", files=images(1))
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    parts = urlsplit(live.url)
    wait_until(lambda: inside(live) == 0, "nobody to be inside")
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + request.read())
        wait_until(lambda: held.batches or inside(live) == 1, "the image to be inside")
    wait_until(lambda: inside(live) == 0, "its work to be dropped")
    held.hold_after = None
    assert httpx.post(f"{live.url}/api/file", files=images(1), timeout=60).status_code == 200


def inside(live: Live) -> float:
    text = httpx.get(f"{live.url}/metrics", timeout=30).text
    (line,) = [line for line in text.splitlines() if line.startswith("inclinet_requests_inside ")]
    return float(line.split()[1])


def test_tables_keep_the_order_of_the_rows_whatever_order_they_are_done_in() -> None:
    bad = tuple(range(1, ROWS, 3))
    with live_gateway(FakeServing(models_of(RELEASE)), max_batch=4) as gateway:
        answers = {
            name: httpx.post(f"{gateway.url}/api/batch?format={name}", files=images(ROWS, bad=bad), timeout=60)
            for name in ("csv", "votable")
        }
    keys = [f"{number:03d}.png" for number in range(ROWS)]
    rows = list(csv.DictReader(io.StringIO(answers["csv"].text)))
    assert [row["key"] for row in rows] == keys
    assert [bool(row["problem_type"]) for row in rows] == [number in bad for number in range(ROWS)]
    document = answers["votable"].content
    said = io.StringIO()
    assert validate(io.BytesIO(document), said), said.getvalue()
    table = parse_single_table(io.BytesIO(document))
    assert [str(key) for key in table.array["key"]] == keys
    for column in results.BATCH_COLUMNS:
        field = table.get_field_by_id_or_name(column.name)
        assert (field.ucd, str(field.unit or "") or None) == (column.ucd, column.unit)
        if column.kind == "float":
            measured = [row[column.name] for row in rows]
            masked = table.array[column.name]
            assert [None if one is masked.mask else one for one in masked.tolist()] == [
                float(one) if one else None for one in measured
            ]


def test_a_table_of_which_no_row_has_an_answer_is_whole_and_says_why_of_each() -> None:
    with live_gateway() as gateway:
        url = f"{gateway.url}/api/batch?format=votable"
        answer = httpx.post(url, files=images(5, bad=tuple(range(5))), timeout=60)
    assert answer.status_code == 200
    table = parse_single_table(io.BytesIO(answer.content)).to_table()
    assert set(table["problem_type"]) == {"unsupported-image"}
    assert all(table["inclination_deg"].mask)


@pytest.mark.parametrize("file_format", ["csv", "votable"])
def test_a_table_that_fails_halfway_says_so_and_breaks_off(file_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = many.measure

    async def broken(*asked: Any, **how: Any) -> AsyncGenerator[many.Result]:
        async for result in whole(*asked, **how):
            yield result
            raise RuntimeError("as told")

    monkeypatch.setattr(many, "measure", broken)
    received: list[bytes] = []
    with (
        live_gateway(batch_concurrency=1) as gateway,
        httpx.stream("POST", f"{gateway.url}/api/batch?format={file_format}", files=images(3), timeout=60) as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        received.extend(answer.iter_bytes())
    body = b"".join(received)
    assert body.count(b".png") == 1
    if file_format == "votable":
        assert len(parse_single_table(io.BytesIO(body)).array) == 1
        assert b'<INFO name="QUERY_STATUS" value="ERROR">' in body.partition(b"</TABLE>")[2]


@pytest.mark.parametrize("text", ["a<&>\"'b", "\x00\x0b\ud7ff\U0001f300", "tab\tnew\nline\r\n", " ]]> ", "", "-"])
def test_any_text_survives_a_votable(text: str) -> None:
    row = {"key": text, "pgc": None, "ra_deg": 1.25}
    document = results.table([row], results.BATCH_COLUMNS, results.Format.VOTABLE)
    (read,) = parse_single_table(io.BytesIO(document)).to_table()
    assert str(read["key"]) == text.replace("\x00", "\ufffd").replace("\x0b", "\ufffd").strip()
    assert read["ra_deg"] == 1.25


class Refusing:
    """Knows no image, at once."""

    async def of_image(self, *_asked: Any, **_how: Any) -> Any:
        raise errors.BadImage("As told.")


def test_rows_begun_ahead_of_one_that_takes_its_time_are_bounded() -> None:
    async def run() -> tuple[int, int]:
        ahead, held = asyncio.Semaphore(5), asyncio.Event()
        begun: list[int] = []

        async def read(name: str) -> bytes:
            begun.append(int(name))
            if name == "0":
                await held.wait()
            return BAD

        rows = [Row(number, str(number), file=str(number)) for number in range(50)]
        measured = many.measure(
            rows, cast("Inclinations", Refusing()), read, terms=many.Terms(None, 0.3, 60.0), concurrency=3, ahead=ahead
        )
        before = [(await anext(measured)).row.number for _ in range(4)]
        for _ in range(100):
            await asyncio.sleep(0)
        stopped = len(begun)
        assert sorted(before) == [1, 2, 3, 4]
        held.set()
        done = 4
        for _ in before:
            ahead.release()
        async for _ in measured:
            ahead.release()
            done += 1
        return stopped, done

    assert asyncio.run(run()) == (5, 50)
