"""Reads a table that a moderator uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.api.problems import responses
from gateway.api.uploads import is_form, limited_body
from gateway.core import errors

if TYPE_CHECKING:
    from fastapi import Request

    from zoo.settings import ZooSettings

BAD_TABLE = responses(errors.BadTable, errors.TableTooLarge, errors.SlowClient)
_UPLOAD_S = 60.0


async def uploaded_table(request: Request, settings: ZooSettings) -> tuple[bytes, str]:
    """Return a table and the name of its file: the body, or the field ``table`` of a form.

    Raises
    ------
    errors.BadRequest, errors.TableTooLarge, errors.SlowClient
    """
    too_large = errors.TableTooLarge(f"The table is larger than {settings.max_upload_bytes:,} bytes.")
    async with limited_body(request, settings.max_upload_bytes, _UPLOAD_S, too_large, "table") as limited:
        if not is_form(request):
            return await limited.body(), ""
        async with limited.form(max_files=1, max_fields=4) as form:
            file = form.get("table")
            if file is None or isinstance(file, str):
                raise errors.BadRequest("The form has no file in its field 'table'.")
            return await file.read(), file.filename or ""
