"""The body of a batch: a table or JSON, images, or both."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile

from gateway.api.queries import BatchQuery
from gateway.api.uploads import check_form, is_form, limited_body
from gateway.core import errors
from gateway.tables import reader
from gateway.tables.cells.rows import Row, rows_of
from gateway.tables.data import Data
from gateway.tables.files.jsonfile import JsonFile
from gateway.tables.header import columns
from gateway.tables.untrusted import check_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from contextlib import AsyncExitStack

    from fastapi import Request

    from gateway.settings import Settings
    from gateway.tables.header.column_use import Reading
    from gateway.tables.table import Table

_PREFIX = "column."
_HEADER = "X-Inclinet-Columns"
_HEADER_BYTES = 2000
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class BatchBody:
    """A batch as it was sent.

    Attributes
    ----------
    rows : list of Row
    files : dict
        Uploaded images by name.
    headers : dict
        Headers of the answer that tell how the table was read.
    """

    rows: list[Row]
    files: dict[str, UploadFile]
    headers: dict[str, str]


async def read_batch(request: Request, settings: Settings, opened: AsyncExitStack) -> BatchBody:
    """Read the rows and the uploaded images from a body of any accepted form."""
    choice = column_choice(request)
    data, name, files = await read_form(request, settings, opened)
    reading: Reading | None = None
    records: list[Mapping[str, Any]] = []
    if data or not files:

        def read() -> tuple[Reading, list[Mapping[str, Any]]]:
            table = open_table(request, data, name, settings)
            found = reader.columns_of(table, choice)
            return found, reader.records_of(table, found.columns, most=settings.max_batch_rows, filename=name)

        reading, records = await asyncio.to_thread(read)
        if not records:
            # the images would otherwise be measured as if no table had been sent
            raise errors.BadTable("The table has no rows.")
    check_rows(max(len(records), len(files)), settings.max_batch_rows)
    rows = await asyncio.to_thread(rows_of, records, reading, list(files))
    if reading is None:
        return BatchBody(rows, files, {})
    return BatchBody(rows, files, {_HEADER: _header(_with_unnamed(reading, rows, files))})


def _with_unnamed(reading: Reading, rows: list[Row], files: Collection[str]) -> Reading:
    """Return what is said of a table, and of images that came with it and are in none of its rows.

    Raises
    ------
    errors.BadTable
        All of them are: the survey's images would be measured instead.
    """
    named = {row.file for row in rows}
    unnamed = [name for name in files if name not in named]
    if not unnamed:
        return reading
    shown = unnamed[0][:_SHOWN]
    if len(unnamed) == len(files):
        raise errors.BadTable(f"No row of the table names any of the images that came along, such as {shown}.")
    said = f"No row names {len(unnamed)} of the {len(files)} images that came along, such as {shown}."
    return replace(reading, warnings=(said, *reading.warnings))


async def read_form(
    request: Request, settings: Settings, opened: AsyncExitStack
) -> tuple[bytes, str, dict[str, UploadFile]]:
    """Return the bytes and the name of the table, and the images by name.

    Raises
    ------
    errors.TableTooLarge, errors.SlowClient, errors.BadTable, errors.BadRequest
    """
    limit = settings.max_batch_bytes
    too_large = errors.TableTooLarge(f"The batch is larger than {limit:,} bytes.", max_bytes=limit)
    async with limited_body(request, limit, settings.upload_timeout_s, too_large, "batch") as limited:
        if not is_form(request):
            return await limited.body(), "", {}
        form = await opened.enter_async_context(limited.form(max_files=settings.max_batch_rows + 1, max_fields=8))
        check_form(form, ("table", "file"), {*BatchQuery.model_fields, _PREFIX.rstrip(".")})
        table = form.get("table")
        images = [one for one in form.getlist("file") if isinstance(one, UploadFile)]
        files = _named(images, unique=isinstance(table, UploadFile))
        if isinstance(table, UploadFile):
            return await table.read(), table.filename or "", files
        return b"", "", files


def column_choice(request: Request) -> dict[str, str]:
    """Read the query parameters ``column.ra=NAME`` and the like."""
    choice = {}
    for key, name in request.query_params.multi_items():
        role = key.lower().removeprefix(_PREFIX)
        if role == key.lower():
            continue
        if role not in columns.ROLES:
            raise errors.BadRequest(f"There is no kind of column {role[:40]!r}; there are {', '.join(columns.ROLES)}.")
        choice[role] = name
    return choice


def open_table(request: Request, data: bytes, name: str, settings: Settings) -> Table:
    """Open a table in the format that the request names, else in the format that its bytes show."""
    if request.headers.get("content-type", "").lower().startswith("application/json"):
        return JsonFile(Data(data, name), most=settings.max_batch_rows)
    return reader.read_table(data, name, most=settings.max_batch_rows, most_bytes=settings.max_batch_bytes)


def _header(reading: Reading) -> str:
    """Write how a table was read as one header: ASCII, and short enough for any proxy."""
    told = reading.as_json()
    briefer: dict[str, list[str]] = {"ignored": []}
    for shorter in ({}, briefer, briefer | {"warnings": told["warnings"][:1]}, briefer | {"warnings": []}):
        text = json.dumps(told | shorter, separators=(",", ":"))
        if len(text) <= _HEADER_BYTES:
            return text
    return json.dumps({"columns": sorted(told["columns"])})


def _named(images: list[UploadFile], *, unique: bool) -> dict[str, UploadFile]:
    """Return images by name; a repeated name becomes "name (2)", unless a table refers to images by name."""
    named: dict[str, UploadFile] = {}
    for number, image in enumerate(images):
        name = image.filename or f"image {number + 1}"
        if name in named:
            if unique:
                raise errors.BadTable(f"Several images are called {name}: the table's rows can't say which they mean.")
            name = next(free for n in count(2) if (free := f"{name} ({n})") not in named)
        named[name] = image
    return named
