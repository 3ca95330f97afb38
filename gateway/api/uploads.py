"""Reads the body of a request within its limits: counts the bytes as they arrive, and refuses slow clients.

FastAPI's ``max_body_size`` counts too, but it answers a too large ``Content-Length`` in plain text, before the
gateway could answer with a problem.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gateway.core import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from starlette.datastructures import FormData
    from starlette.types import Message

FRAMING_BYTES = 64 * 1024
"""Allowance for a multipart body beside the file itself, bytes."""

MOST_FILES, TIMES_OF_ALL = 12, 3
"""Limits for the images of one galaxy: number of files (three bands from four tiles), total size in sizes of one."""

_SHOWN = 40
_GZIP = {"gzip", "x-gzip"}
_PACKED = _GZIP | {"deflate", "br", "zstd", "compress", "x-compress"}


def is_form(request: Request) -> bool:
    """Return whether the body is a multipart form."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


@asynccontextmanager
async def limited_body(
    request: Request, limit: int, timeout_s: float, too_large: errors.GatewayError, noun: str
) -> AsyncIterator[Request]:
    """Yield the request with a body that has to come within limits.

    Parameters
    ----------
    request : Request
        Its body has not been touched yet.
    limit : int
        Most bytes of the body. Enforced from ``Content-Length`` where it is given, and while reading in any case.
    timeout_s : float
        Time in which the whole body must arrive, seconds.
    too_large : GatewayError
        Raised above ``limit``.
    noun : str
        Noun for the body, used in the messages of the other errors.

    Raises
    ------
    errors.SlowClient, errors.BadRequest
    """
    packed = {word.strip() for word in request.headers.get("content-encoding", "").lower().split(",")} & _PACKED
    # a table that is the whole body may be packed by gzip, which its first bytes show
    if packed - (set() if is_form(request) else _GZIP):
        how = ", ".join(sorted(packed))
        raise errors.BadRequest(f"The body is packed as a whole (Content-Encoding: {how}): send it as it is.")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise too_large
        return message

    try:
        async with asyncio.timeout(timeout_s):
            yield Request(request.scope, counted)
    except TimeoutError:
        raise errors.SlowClient(f"The {noun} did not arrive within {timeout_s:g} s.") from None
    except ClientDisconnect:
        raise errors.SlowClient(f"The client went away before the {noun} was complete.") from None
    except HTTPException as error:
        raise errors.BadRequest(f"The multipart body is damaged: {error.detail}") from None


def check_form(form: FormData, files: Collection[str], parameters: Collection[str]) -> None:
    """Raise an error for files and parameters in a form that would be lost, since they are not read there.

    Parameters
    ----------
    form : FormData
    files : collection of str
        Names of the fields that are read as files.
    parameters : collection of str
        Names of the parameters in the URL. Other fields are ignored, since browsers add their own.

    Raises
    ------
    errors.BadRequest
        A file or a parameter is in the wrong place.
    """
    for name, value in form.multi_items():
        shown = name[:_SHOWN]
        if isinstance(value, UploadFile):
            if name not in files:
                raise errors.BadRequest(f"The form has a file in its field {shown!r}: {' or '.join(files)} is read.")
        elif name in files:
            raise errors.BadRequest(
                f"The form's field {shown!r} is no file, for it has no filename=: curl -F {shown}=@NAME sends one."
            )
        elif name.lower().partition(".")[0] in parameters:
            raise errors.BadRequest(f"The form's field {shown!r} is a parameter: send it in the URL, as ?{shown}=...")


async def read_uploads(
    request: Request, *, max_bytes: int, timeout_s: float, parameters: Collection[str]
) -> list[bytes]:
    """Return the bytes of each file in the form's field ``file``.

    Parameters
    ----------
    request : Request
    max_bytes : int
        Size limit of a file, bytes; all files together may have three times as many.
    timeout_s : float
        Time in which the whole body must arrive, seconds.
    parameters : collection of str
        Names that the route knows; see :func:`check_form`.

    Raises
    ------
    errors.ImageTooLarge, errors.SlowClient, errors.BadRequest
    """
    too_large = errors.ImageTooLarge(f"The upload is larger than {max_bytes:,} bytes.", max_bytes=max_bytes)
    most = TIMES_OF_ALL * max_bytes
    too_much = errors.ImageTooLarge(f"The files together are larger than {most:,} bytes.", max_bytes=max_bytes)
    async with limited_body(request, most + FRAMING_BYTES, timeout_s, too_much, "upload") as limited:
        if not is_form(request):
            raise errors.BadRequest(
                "Send the image as multipart/form-data in the field 'file' (curl -F file=@image.jpg)."
            )
        async with limited.form(max_files=MOST_FILES, max_fields=8) as form:
            check_form(form, ("file",), parameters)
            uploads = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
            if not uploads:
                raise errors.BadRequest("The form has no whole file in its field 'file'.")
            if any((file.size or 0) > max_bytes for file in uploads):
                raise too_large
            return [await file.read() for file in uploads]
