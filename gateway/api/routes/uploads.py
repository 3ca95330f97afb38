"""Read an upload within its limits: bytes are counted while they come, and a client that dawdles is told so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gateway.api.problems import BadRequest
from gateway.core import errors

if TYPE_CHECKING:
    from starlette.types import Message

FRAMING_BYTES = 64 * 1024
"""What a multipart body may need beside the file itself."""


async def read_upload(request: Request, *, max_bytes: int, timeout_s: float) -> bytes:
    """Return the bytes of the form field ``file``.

    Parameters
    ----------
    request : Request
        Its body has not been touched yet.
    max_bytes : int
        Of the file. Enforced from ``Content-Length`` where it is given, and while reading in any case.
    timeout_s : float
        For the whole body to arrive, seconds.

    Raises
    ------
    errors.ImageTooLarge, errors.SlowClient, BadRequest
    """
    too_large = errors.ImageTooLarge(f"The upload is larger than {max_bytes:,} bytes.", max_bytes=max_bytes)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes + FRAMING_BYTES:
        raise too_large
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise BadRequest("Send the image as multipart/form-data in the field 'file' (curl -F file=@image.jpg).")
    bounded = bounded_request(request, max_bytes + FRAMING_BYTES, too_large)
    try:
        async with asyncio.timeout(timeout_s), bounded.form(max_files=1, max_fields=8) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise BadRequest("The form has no file in its field 'file'.")
            data = await file.read()
    except TimeoutError:
        raise errors.SlowClient(f"The upload did not arrive within {timeout_s:g} s.") from None
    except ClientDisconnect:
        raise errors.SlowClient("The client went away before the upload was complete.") from None
    except HTTPException as error:
        raise BadRequest(f"The multipart body is damaged: {error.detail}") from None
    if len(data) > max_bytes:
        raise too_large
    return data


def bounded_request(request: Request, limit: int, too_large: errors.InclinetError) -> Request:
    """Return ``request`` with a body that raises ``too_large`` as soon as more than ``limit`` bytes of it have come."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise too_large
        return message

    return Request(request.scope, counted)
