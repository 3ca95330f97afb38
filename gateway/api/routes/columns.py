"""``/api/batch/columns``: what the columns of a table are taken for."""

from __future__ import annotations

import asyncio
import csv
from contextlib import AsyncExitStack
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request

from gateway.api.access import client_name
from gateway.api.batch_body import column_choice, open_table, read_form
from gateway.api.dependencies import WiredServices
from gateway.api.problems import responses
from gateway.api.schemas import ColumnsAnswer
from gateway.core import errors
from gateway.tables import reader
from gateway.tables.cells.rows import Row, question
from gateway.tables.header import columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.tables.header.column_use import Reading

router = APIRouter(tags=["inclination"])

_FIRST_ROWS = 3


@router.post(
    "/api/batch/columns",
    summary="What the columns of a table are taken for",
    description="Takes what `/api/batch` takes, or only the header of a table, and measures nothing. "
    "`column.ra=NAME` and the like say which column is which.",
    response_model=ColumnsAnswer,
    responses=responses(errors.BadTable, errors.TableTooLarge, errors.SlowClient, errors.TooManyRequests, errors.Busy),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": "objid,RAJ2000,DEJ2000\n"},
                "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        },
    },
)
async def of_table(request: Request, services: WiredServices) -> ColumnsAnswer:
    """Read the table's header and first rows."""
    choice = column_choice(request)
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(services.admission.admit(client_name(request)))
        data, name, _ = await read_form(request, services.settings, opened)

        def read() -> ColumnsAnswer:
            table = open_table(request, data, name, services.settings)
            reading = reader.columns_of(table, choice)
            return _answer(reading, [*islice(table.records({*reading.columns}), _FIRST_ROWS)])

        try:
            return await asyncio.to_thread(read)
        except errors.GatewayError:
            raise
        # the readers raise a dozen kinds of errors on damaged files
        except Exception as error:
            raise reader.damaged(name) from error


@router.get(
    "/api/batch/columns",
    summary="What columns of these names are taken for",
    response_model=ColumnsAnswer,
    responses=responses(errors.BadTable),
)
async def of_names(
    request: Request,
    names: Annotated[
        str,
        Query(
            max_length=4_000,
            description="Names of the columns, separated by commas.",
            examples=["objid,RAJ2000,DEJ2000"],
        ),
    ],
) -> ColumnsAnswer:
    """Recognise columns by their names alone."""
    try:
        cells = next(csv.reader([names.replace("\n", " ").replace("\r", " ")], skipinitialspace=True), [])
    except csv.Error:
        cells = names.split(",")
    return _answer(columns.recognise([cell.strip() for cell in cells if cell.strip()], column_choice(request)), [])


def _answer(reading: Reading, records: list[Mapping[str, Any]]) -> ColumnsAnswer:
    rows = [question(number, record, reading, frozenset()) for number, record in enumerate(records)]
    return ColumnsAnswer.model_validate(reading.as_json() | {"first_rows": [_row(row) for row in rows]})


def _row(row: Row) -> dict[str, Any]:
    problem = row.problem.detail if row.problem is not None else None
    asked = row.target.asked if row.target is not None else row.file
    return {"key": row.key, "asked": asked, "problem": problem, "warnings": list(row.warnings)}
