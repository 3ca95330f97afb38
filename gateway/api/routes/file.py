"""``POST /api/file``: the inclination of an image."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from gateway.api.access import cancelled_with_client, client_name
from gateway.api.dependencies import WiredServices
from gateway.api.problems import responses
from gateway.api.queries import TABLE_CONTENT, ImageQuery, write_answer
from gateway.api.schemas import InclinationAnswer
from gateway.api.uploads import read_upload
from gateway.core import errors
from gateway.core.models import Deadline
from gateway.telemetry import tracing

router = APIRouter(tags=["inclination"])

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "JPEG, PNG, GIF, TIFF, WebP or FITS: best with the galaxy in "
                            "the middle, about 1 to 2 D25 wide.",
                        },
                    },
                },
            },
        },
    },
}


@router.post(
    "/api/file",
    summary="The inclination of an image",
    description="Any orientation, colour or grayscale, positive or negative. A picture that is not square is padded "
    "with its own background. Where the galaxy is small or off centre, a frame around it is measured, which the answer "
    "tells; `x` and `y` say which galaxy is meant, `frame=whole` measures the image as it is. FITS (2-D, or 3 planes) "
    "and TIFF of more than 8 bits get an asinh stretch.",
    response_model=InclinationAnswer,
    responses=TABLE_CONTENT
    | responses(
        errors.BadImage,
        errors.BadTarget,
        errors.UnsupportedImage,
        errors.ImageTooLarge,
        errors.SlowClient,
        errors.TooManyRequests,
        errors.Busy,
        errors.QuorumLost,
        errors.DeadlineExceeded,
    ),
    openapi_extra=_FORM,
)
async def of_file(
    request: Request,
    services: WiredServices,
    query: Annotated[ImageQuery, Query()],
) -> Response:
    """Measure an uploaded image."""
    settings, framing = services.settings, query.framing()
    deadline = Deadline.after(settings.request_timeout_s)
    async with services.admission.admit(client_name(request)):
        with services.metrics.stage("upload"), tracing.span("upload"):
            data = await read_upload(
                request,
                max_bytes=settings.max_upload_bytes,
                timeout_s=min(settings.upload_timeout_s, deadline.remaining_s()),
            )
        async with cancelled_with_client(request), services.admission.work(deadline):
            answer = await services.inclinations.of_image(data, deadline=deadline, r=query.r, framing=framing)
        return write_answer(request, answer, query)
