"""``POST /api/batch``: many galaxies in one request, one result a row, streamed while they come."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from gateway import errors, many, problems, render
from gateway.problems import responses
from gateway.routes.access import client_of
from gateway.routes.answers import Presentation, Surveyed  # noqa: TC001 - FastAPI reads the annotations of its routes
from gateway.routes.tables import received
from gateway.schemas import InclinationAnswer
from gateway.services import Rooms
from gateway.tables import columns

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Receive, Scope, Send

router = APIRouter(tags=["inclination"])

NDJSON = "application/x-ndjson"
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
    "`{key, row, ok, answer}` or `{key, row, ok, problem}`; the header `X-Inclinet-Rows` says how many, and "
    "`X-Inclinet-Columns` as JSON what each column was taken for. `column.ra=NAME` and the like "
    f"({', '.join(columns.ROLES)}) say it yourself; `/api/batch/columns` tells it without measuring. "
    "`format=csv` or `votable` collects them to a table instead, in the order of the rows.",
    response_class=Response,
    responses=_STREAM
    | responses(errors.BadTable, errors.TableTooLarge, errors.SlowClient, errors.TooManyRequests, errors.Busy),
    openapi_extra=_BODY,
)
async def of_many(request: Request, rooms: Rooms, question: Annotated[Surveyed, Query()]) -> Response:
    """Measure every row; a bad row is a row with a problem."""
    file_format = render.choose(question.format, request.headers.get("accept", ""))
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(rooms.admission.admit(client_of(request)))
        asked = await received(request, rooms.settings, opened)
        rows, files = asked.rows, asked.files

        async def read_file(name: str) -> bytes:
            await files[name].seek(0)
            return await files[name].read()

        structlog.contextvars.bind_contextvars(target=f"batch of {len(rows)}")
        results = many.measure(
            rows,
            rooms.inclinations,
            read_file,
            terms=many.Terms(question.survey, question.r, rooms.settings.request_timeout_s),
            concurrency=rooms.settings.batch_concurrency,
            observe=rooms.metrics.observe_row,
        )
        if file_format is not render.Format.JSON:
            async with aclosing(results):
                collected = [result async for result in results]
            table = _table(collected, file_format)
            return Response(table, media_type=render.MEDIA_TYPES[file_format], headers=asked.headers)
        # from here on the stream closes what is open
        closing = opened.pop_all()
    headers = {"X-Inclinet-Rows": str(len(rows)), **asked.headers}
    return _Stream(_lines(results, question), closing, headers)


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
