"""Receive a batch: a table or JSON, images, or both; and say what the table's columns are taken for."""

from __future__ import annotations

import asyncio
import csv
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gateway.api.dependencies import WiredServices
from gateway.api.problems import BadRequest, responses
from gateway.api.routes.access import client_of
from gateway.api.routes.uploads import bounded_request
from gateway.api.schemas import ColumnsAnswer
from gateway.core import errors
from gateway.tables import columns, reader
from gateway.tables.data import Data
from gateway.tables.jsonfile import JsonFile
from gateway.tables.rows import Row, question, rows_of
from gateway.tables.untrusted import check_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.settings import Settings
    from gateway.tables.reading import Reading
    from gateway.tables.table import Table

router = APIRouter(tags=["inclination"])

_PREFIX = "column."
_HEADER = "X-Inclinet-Columns"
_HEADER_BYTES = 2000
_FIRST_ROWS = 3


@dataclass(frozen=True, slots=True)
class Received:
    """A batch as it came.

    Attributes
    ----------
    rows : list of Row
    files : dict
        Images that came along, by name.
    headers : dict
        What the answer says of how the table was read.
    """

    rows: list[Row]
    files: dict[str, UploadFile]
    headers: dict[str, str]


async def received(request: Request, settings: Settings, opened: AsyncExitStack) -> Received:
    """Read the rows, and the images that came along, whatever form the body has."""
    choice = _choice(request)
    data, name, files = await _body(request, settings, opened)
    reading: Reading | None = None
    records: list[Mapping[str, Any]] = []
    if data or not files:

        def read() -> tuple[Reading, list[Mapping[str, Any]]]:
            table = _table(request, data, name, settings)
            found = reader.columns_of(table, choice)
            return found, reader.records_of(table, found.columns, most=settings.max_batch_rows, filename=name)

        reading, records = await asyncio.to_thread(read)
        if not records:
            # what came with it would otherwise be measured as if no table had been sent
            raise errors.BadTable("The table has no rows.")
    check_rows(max(len(records), len(files)), settings.max_batch_rows)
    rows = await asyncio.to_thread(rows_of, records, reading, list(files))
    return Received(rows, files, {_HEADER: _header(reading)} if reading is not None else {})


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
    choice = _choice(request)
    async with AsyncExitStack() as opened:
        await opened.enter_async_context(services.admission.admit(client_of(request)))
        data, name, _ = await _body(request, services.settings, opened)

        def read() -> ColumnsAnswer:
            table = _table(request, data, name, services.settings)
            reading = reader.columns_of(table, choice)
            return _told(reading, [*islice(table.records({*reading.columns}), _FIRST_ROWS)])

        try:
            return await asyncio.to_thread(read)
        except errors.InclinetError:
            raise
        # the readers meet damage with errors of a dozen kinds
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
    return _told(columns.recognise([cell.strip() for cell in cells if cell.strip()], _choice(request)), [])


def _told(reading: Reading, records: list[Mapping[str, Any]]) -> ColumnsAnswer:
    rows = [question(number, record, reading, frozenset()) for number, record in enumerate(records)]
    return ColumnsAnswer.model_validate(reading.told() | {"first_rows": [_row(row) for row in rows]})


def _row(row: Row) -> dict[str, Any]:
    problem = row.problem.detail if row.problem is not None else None
    asked = row.target.asked if row.target is not None else row.file
    return {"key": row.key, "asked": asked, "problem": problem, "warnings": list(row.warnings)}


def _choice(request: Request) -> dict[str, str]:
    """Read ``column.ra=NAME`` and the like."""
    choice = {}
    for key, name in request.query_params.multi_items():
        role = key.lower().removeprefix(_PREFIX)
        if role == key.lower():
            continue
        if role not in columns.ROLES:
            raise BadRequest(f"There is no kind of column {role[:40]!r}; there are {', '.join(columns.ROLES)}.")
        choice[role] = name
    return choice


def _table(request: Request, data: bytes, name: str, settings: Settings) -> Table:
    if request.headers.get("content-type", "").lower().startswith("application/json"):
        return JsonFile(Data(data, name), most=settings.max_batch_rows)
    return reader.read_table(data, name, most=settings.max_batch_rows, most_bytes=settings.max_batch_bytes)


def _header(reading: Reading) -> str:
    """Write a reading as one header: ASCII, and short enough for any proxy."""
    told = reading.told()
    briefer: dict[str, list[str]] = {"ignored": []}
    for shorter in ({}, briefer, briefer | {"warnings": told["warnings"][:1]}, briefer | {"warnings": []}):
        text = json.dumps(told | shorter, separators=(",", ":"))
        if len(text) <= _HEADER_BYTES:
            return text
    return json.dumps({"columns": sorted(told["columns"])})


async def _body(
    request: Request, settings: Settings, opened: AsyncExitStack
) -> tuple[bytes, str, dict[str, UploadFile]]:
    """Return the table's bytes and name, and the images by theirs."""
    limit = settings.max_batch_bytes
    too_large = errors.TableTooLarge(f"The batch is larger than {limit:,} bytes.", max_bytes=limit)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    bounded = bounded_request(request, limit, too_large)
    try:
        async with asyncio.timeout(settings.upload_timeout_s):
            if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
                return await bounded.body(), "", {}
            most = settings.max_batch_rows + 1
            form = await opened.enter_async_context(bounded.form(max_files=most, max_fields=8))
            table = form.get("table")
            images = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
            files = _named(images, unique=isinstance(table, UploadFile))
            if isinstance(table, UploadFile):
                return await table.read(), table.filename or "", files
            return b"", "", files
    except TimeoutError:
        raise errors.SlowClient(f"The batch did not arrive within {settings.upload_timeout_s:g} s.") from None
    except ClientDisconnect:
        raise errors.SlowClient("The client went away before the batch was complete.") from None
    except HTTPException as error:
        raise BadRequest(f"The multipart body is damaged: {error.detail}") from None


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
