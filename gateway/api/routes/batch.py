"""``POST /api/batch``: many galaxies in one request, one result per row, streamed as they are measured."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from gateway.api import problems
from gateway.api.access import client_name
from gateway.api.batch_body import read_batch
from gateway.api.dependencies import WiredServices
from gateway.api.problems import responses
from gateway.api.queries import AnswerQuery, BatchQuery  # noqa: TC001 - FastAPI reads the annotations of its routes
from gateway.api.schemas import InclinationAnswer
from gateway.core import errors
from gateway.measure import many
from gateway.tables import results
from gateway.tables.header import columns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from starlette.types import Receive, Scope, Send

router = APIRouter(tags=["inclination"])

NDJSON = "application/x-ndjson"
AHEAD = 1000
"""Rows of a table that may start before an earlier row is written; each needs some hundred bytes while it waits."""

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
                            "description": "CSV, ECSV, VOTable, FITS, Parquet or JSON, also gzipped; columns pgc, "
                            "name, ra and dec, fov, pa, file, key, in the spellings of the usual catalogues.",
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
    """Stops the work and closes its files also when the client goes away, even before the first line."""

    def __init__(
        self, lines: AsyncGenerator[bytes], closing: AsyncExitStack, headers: dict[str, str], *, media_type: str
    ) -> None:
        # a proxy that collects the answer first would hold back the rows, and time out without any
        super().__init__(lines, headers={**headers, "X-Accel-Buffering": "no"}, media_type=media_type)
        self._lines, self._closing = lines, closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._closing, aclosing(self._lines):
            await super().__call__(scope, receive, send)


@router.post(
    "/api/batch",
    summary="The inclinations of many galaxies",
    description="A JSON list of targets, a table, or many images. Streams one JSON object a line, in order of arrival: "
    "`{key, row, ok, answer}` or `{key, row, ok, problem}`; the header `X-Inclinet-Rows` says how many, and "
    "`X-Inclinet-Columns` as JSON what each column was taken for. `column.ra=NAME` and the like "
    f"({', '.join(columns.ROLES)}) say it yourself; `/api/batch/columns` tells it without measuring. "
    "`format=csv` or `votable` streams a table instead, in the order of the rows; a row without an answer says why in "
    "`problem`.",
    response_class=Response,
    responses=_STREAM
    | responses(errors.BadTable, errors.TableTooLarge, errors.SlowClient, errors.TooManyRequests, errors.Busy),
    openapi_extra=_BODY,
)
async def of_many(request: Request, services: WiredServices, query: Annotated[BatchQuery, Query()]) -> Response:
    """Measure every row; a bad row is a row with a problem."""
    file_format = results.choose(query.format, request.headers.get("accept", ""))
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(services.admission.admit(client_name(request)))
        body = await read_batch(request, services.settings, opened)
        rows, files = body.rows, body.files

        async def read_file(name: str) -> bytes:
            await files[name].seek(0)
            return await files[name].read()

        structlog.contextvars.bind_contextvars(target=f"batch of {len(rows)}")
        ahead = asyncio.Semaphore(AHEAD) if file_format is not results.Format.JSON else None
        measured = many.measure(
            rows,
            services.inclinations,
            read_file,
            terms=many.Terms(query.survey, query.r, services.settings.request_timeout_s, query.framing()),
            concurrency=services.settings.batch_concurrency,
            ahead=ahead,
            observe=services.metrics.observe_row,
        )
        # from here on the stream closes the open files
        closing = opened.pop_all()
    headers = {"X-Inclinet-Rows": str(len(rows)), **body.headers}
    if ahead is None:
        return _Stream(_lines(measured, query), closing, headers, media_type=NDJSON)
    table = _table(measured, [row.number for row in rows], ahead, file_format)
    return _Stream(table, closing, headers, media_type=results.MEDIA_TYPES[file_format])


async def _lines(
    measured: AsyncGenerator[many.Result],
    query: AnswerQuery,
) -> AsyncGenerator[bytes]:
    async with aclosing(measured):
        async for result in measured:
            line: dict[str, Any] = {"key": result.row.key, "row": result.row.number, "ok": result.answer is not None}
            if result.answer is not None:
                answer = InclinationAnswer.of(result.answer, frozenset(query.include))
                line["answer"] = answer.model_dump(mode="json")
            elif result.problem is not None:
                line["problem"] = problems.body(result.problem, "/api/batch")
            yield json.dumps(line, separators=(",", ":")).encode() + b"\n"


async def _table(
    measured: AsyncGenerator[many.Result],
    order: Sequence[int],
    ahead: asyncio.Semaphore,
    file_format: results.Format,
) -> AsyncGenerator[bytes]:
    """Write a table in the order of the rows, each as soon as those before it are written."""
    columns = results.BATCH_COLUMNS
    held: dict[int, bytes] = {}
    due = iter(order)
    try:
        async with aclosing(measured):
            # the first VOTable imports astropy, half a second that must not block other requests
            yield await asyncio.to_thread(results.head, columns, file_format)
            number = next(due, None)
            async for result in measured:
                held[result.row.number] = results.line(_flat(result), columns, file_format)
                ready = []
                while number in held:
                    ready.append(held.pop(number))
                    number = next(due, None)
                    ahead.release()
                if ready:
                    yield b"".join(ready)
    except Exception:
        yield results.tail(file_format, error="The gateway failed in a way that was not foreseen: rows are missing.")
        # the connection breaks, so that the answer does not look whole in a format that can't hold an error
        raise
    yield results.tail(file_format)


def _flat(result: many.Result) -> results.Row:
    row: results.Row = {results.KEY.name: result.row.key}
    if result.answer is not None:
        row |= InclinationAnswer.of(result.answer).row()
    elif result.problem is not None:
        row |= results.problem_row(result.problem)
    return row
