"""``POST /api/batch``: many galaxies in one request, one result a row, streamed while they come."""

from __future__ import annotations

import asyncio
import functools
import json
from contextlib import AsyncExitStack, aclosing
from itertools import count
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gateway import errors, many, problems, render
from gateway.problems import BadRequest, responses
from gateway.routes.access import client_of
from gateway.routes.answers import Presentation, Several  # noqa: TC001 - FastAPI reads the annotations of its routes
from gateway.routes.uploads import bounded_request
from gateway.schemas import InclinationAnswer
from gateway.services import Rooms
from gateway.tables.reader import read_table
from gateway.tables.rows import Row, rows_of
from gateway.tables.untrusted import check_rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

    from gateway.settings import Settings

router = APIRouter(tags=["inclination"])

NDJSON = "application/x-ndjson"
_MOST_KEYS = 32
"""Of one record; there are eight that mean something."""

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One result a row.",
        "content": {
            NDJSON: {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
            "application/x-votable+xml": {"schema": {"type": "string"}},
        },
    },
}

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"type": "object"}},
                "example": [{"pgc": 2557}, {"name": "NGC 7331"}, {"ra": 10.68, "dec": 41.27, "fov": 4}],
            },
            "text/csv": {"schema": {"type": "string"}, "example": "name\nNGC 7331\nNGC 628\n"},
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "table": {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV, VOTable, FITS or Parquet; columns pgc, name, ra and dec, "
                            "fov, pa, file, key.",
                        },
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "Images, by themselves or named by the table's column file.",
                        },
                    },
                },
            },
        },
    },
}


class _Stream(StreamingResponse):
    """Ends the work and closes what it holds also when the client goes away, be it before the first line."""

    def __init__(self, lines: AsyncGenerator[bytes], closing: AsyncExitStack, headers: dict[str, str]) -> None:
        super().__init__(lines, headers=headers, media_type=NDJSON)
        self._lines, self._closing = lines, closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._closing, aclosing(self._lines):
            await super().__call__(scope, receive, send)


@router.post(
    "/api/batch",
    summary="The inclinations of many galaxies",
    description="A JSON list of targets, a table, or many images. Streams one JSON object a line, in order of arrival: "
    "`{key, row, ok, answer}` or `{key, row, ok, problem}`; the header `X-Inclinet-Rows` says how many. "
    "`format=csv` or `votable` collects them to a table instead, in the order of the rows.",
    response_class=Response,
    responses=_STREAM
    | responses(errors.BadTable, errors.TableTooLarge, errors.SlowClient, errors.TooManyRequests, errors.Busy),
    openapi_extra=_BODY,
)
async def of_many(request: Request, rooms: Rooms, question: Annotated[Several, Query()]) -> Response:
    """Measure every row; a bad row is a row with a problem."""
    file_format = render.choose(question.format, request.headers.get("accept", ""))
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(rooms.admission.admit(client_of(request)))
        rows, files = await _read(request, rooms.settings, opened)

        async def read_file(name: str) -> bytes:
            await files[name].seek(0)
            return await files[name].read()

        structlog.contextvars.bind_contextvars(target=f"batch of {len(rows)}")
        results = many.measure(
            rows,
            rooms.inclinations,
            read_file,
            terms=many.Terms(question.survey, question.r, rooms.settings.request_timeout_s, question.framing()),
            concurrency=rooms.settings.batch_concurrency,
            observe=rooms.metrics.observe_row,
        )
        if file_format is not render.Format.JSON:
            async with aclosing(results):
                collected = [result async for result in results]
            table = _table(collected, file_format)
            return Response(table, media_type=render.MEDIA_TYPES[file_format])
        # from here on the stream closes what is open
        closing = opened.pop_all()
    headers = {"X-Inclinet-Rows": str(len(rows))}
    return _Stream(_lines(results, question), closing, headers)


async def _read(
    request: Request,
    settings: Settings,
    opened: AsyncExitStack,
) -> tuple[list[Row], dict[str, UploadFile]]:
    """Read the rows, and the images that came along, whatever form the body has."""
    limit = settings.max_batch_bytes
    too_large = errors.TableTooLarge(f"The batch is larger than {limit:,} bytes.", max_bytes=limit)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    bounded = bounded_request(request, limit, too_large)
    media = request.headers.get("content-type", "").lower()
    files: dict[str, UploadFile] = {}
    try:
        async with asyncio.timeout(settings.upload_timeout_s):
            if media.startswith("multipart/form-data"):
                most = settings.max_batch_rows + 1
                form = await opened.enter_async_context(bounded.form(max_files=most, max_fields=8))
                table = form.get("table")
                images = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
                files = _named(images, unique=isinstance(table, UploadFile))
                data, name = (await table.read(), table.filename or "") if isinstance(table, UploadFile) else (b"", "")
            else:
                data, name = await bounded.body(), ""
    except TimeoutError:
        raise errors.SlowClient(f"The batch did not arrive within {settings.upload_timeout_s:g} s.") from None
    except ClientDisconnect:
        raise errors.SlowClient("The client went away before the batch was complete.") from None
    except HTTPException as error:
        raise BadRequest(f"The multipart body is damaged: {error.detail}") from None
    if not data and files:
        records: list[Any] = []
    elif media.startswith("application/json"):
        records = _json(data, settings.max_batch_rows)
    else:
        read = functools.partial(read_table, data, name, most=settings.max_batch_rows)
        records = list(await asyncio.to_thread(read))
    if data and not records:
        # what came with it would otherwise be measured as if no table had been sent
        raise errors.BadTable("The table has no rows.")
    check_rows(max(len(records), len(files)), settings.max_batch_rows)
    rows = rows_of(records, files)
    if not rows:
        raise errors.BadTable("The batch has no rows.")
    return rows, files


def _named(images: list[UploadFile], *, unique: bool) -> dict[str, UploadFile]:
    """Return images by name; of several that share one, the second is called "name (2)", unless a table names them."""
    named: dict[str, UploadFile] = {}
    for number, image in enumerate(images):
        name = image.filename or f"image {number + 1}"
        if name in named:
            if unique:
                raise errors.BadTable(f"Several images are called {name}: the table's rows can't say which they mean.")
            name = next(free for n in count(2) if (free := f"{name} ({n})") not in named)
        named[name] = image
    return named


def _json(data: bytes, most: int) -> list[Any]:
    # a comma a value: what is all commas is a hundred megabytes of text and gigabytes of objects
    check_rows(data.count(b",") // _MOST_KEYS, most)
    try:
        records = json.loads(data)
    except (ValueError, RecursionError):
        raise errors.BadTable("The body is not valid JSON.") from None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise errors.BadTable("The body is not a JSON list of objects.")
    return records


async def _lines(
    results: AsyncGenerator[many.Result],
    presentation: Presentation,
) -> AsyncGenerator[bytes]:
    async with aclosing(results):
        async for result in results:
            line: dict[str, Any] = {"key": result.row.key, "row": result.row.number, "ok": result.answer is not None}
            if result.answer is not None:
                answer = InclinationAnswer.of(result.answer, frozenset(presentation.include))
                line["answer"] = answer.model_dump(mode="json")
            elif result.problem is not None:
                line["problem"] = problems.body(result.problem, "/api/batch")
            yield json.dumps(line, separators=(",", ":")).encode() + b"\n"


def _table(results: list[many.Result], file_format: render.Format) -> bytes:
    flat = []
    for result in sorted(results, key=lambda one: one.row.number):
        row: render.Row = {render.KEY.name: result.row.key}
        if result.answer is not None:
            row |= render.answer_row(InclinationAnswer.of(result.answer))
        elif result.problem is not None:
            row |= render.problem_row(result.problem)
        flat.append({column.name: row.get(column.name) for column in render.BATCH_COLUMNS})
    return render.table(flat, render.BATCH_COLUMNS, file_format)
