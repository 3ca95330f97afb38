"""``POST /api/file``: the inclination of an image."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from gateway.api.access import cancelled_with_client, client_name
from gateway.api.dependencies import WiredServices
from gateway.api.problems import responses
from gateway.api.queries import TABLE_CONTENT, FileQuery, write_answer
from gateway.api.schemas import InclinationAnswer
from gateway.api.uploads import MOST_FILES, read_uploads
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
                            "type": "array",
                            "minItems": 1,
                            "maxItems": MOST_FILES,
                            "items": {"type": "string", "format": "binary"},
                            "description": "JPEG, PNG, GIF, TIFF, WebP or FITS: best with the galaxy in "
                            "the middle, about 1 to 2 D25 wide. Several FITS files with a WCS, each in a field of "
                            "this name, are the bands and tiles of one picture; they need the galaxy's place.",
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
    "and TIFF of more than 8 bits get an asinh stretch. With `ra` and `dec`, `name` or `pgc`, the galaxy is cut from "
    "FITS images by their celestial WCS: a field of `fov`, turned by `pa`; several files are its bands and tiles. "
    "Where no catalogue knows its size, it is from the picture.",
    response_model=InclinationAnswer,
    responses=TABLE_CONTENT
    | responses(
        errors.BadImage,
        errors.BadTarget,
        errors.UnsupportedImage,
        errors.ImageTooLarge,
        errors.NoWcs,
        errors.WcsNotCelestial,
        errors.WcsUnusable,
        errors.OutsideImages,
        errors.BandsApart,
        errors.BandsUnknown,
        errors.BandsDuplicate,
        errors.UnitsDiffer,
        errors.UnknownTarget,
        errors.NotAGalaxy,
        errors.UpstreamBroken,
        errors.UpstreamUnavailable,
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
    query: Annotated[FileQuery, Query()],
) -> Response:
    """Measure an uploaded image, or a galaxy in uploaded images of the sky."""
    settings, framing, target = services.settings, query.framing(), query.target()
    deadline = Deadline.after(settings.request_timeout_s)
    async with services.admission.admit(client_name(request)):
        with services.metrics.stage("upload"), tracing.span("upload"):
            files = await read_uploads(
                request,
                max_bytes=settings.max_upload_bytes,
                timeout_s=min(settings.upload_timeout_s, deadline.remaining_s()),
                parameters=FileQuery.model_fields,
            )
        if target is None and len(files) > 1:
            raise errors.BadRequest("Several files are the bands of one galaxy: say which (ra and dec, name or pgc).")
        async with cancelled_with_client(request), services.admission.work(deadline):
            if target is None:
                answer = await services.inclinations.of_image(files[0], deadline=deadline, r=query.r, framing=framing)
            else:
                answer = await services.inclinations.of_imaging(
                    files, target, bands=query.band_names(), deadline=deadline, r=query.r
                )
        return write_answer(request, answer, query)
