"""What the endpoints that answer with an inclination share: parameters, formats, and the body of the answer."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query, Request, Response

from gateway import ellipticity, render
from gateway.problems import BadRequest
from gateway.schemas import InclinationAnswer

if TYPE_CHECKING:
    from gateway.inclination import Answer
    from gateway.observability import Metrics


class Include(StrEnum):
    """Pictures that an answer can carry."""

    MODEL_INPUT = "model_input"
    CUTOUT = "cutout"


RatioQuery = Annotated[
    float,
    Query(
        alias="r",
        ge=0,
        lt=1,
        description="Intrinsic axis ratio of an edge-on disc, for the ellipticity inclination.",
        examples=[ellipticity.INTRINSIC_AXIS_RATIO],
    ),
]
IncludeQuery = Annotated[
    list[Include] | None,
    Query(description="Pictures to carry along as data URLs; may be repeated.", examples=[["model_input"]]),
]
FormatQuery = Annotated[
    render.Format | None,
    Query(alias="format", description="How to write the answer; else the `Accept` header decides.", examples=["json"]),
]

TABLE_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, as asked: JSON, or a table of one row.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/x-votable+xml": {"schema": {"type": "string"}},
        },
    },
}


def answered(
    request: Request,
    answer: Answer,
    metrics: Metrics,
    *,
    include: list[Include] | None,
    asked: render.Format | None,
) -> Response:
    """Write an answer in the format asked for, and count what operators watch for drift."""
    metrics.disagreement.observe(answer.inclination.stdev_deg)
    if answer.rejection is not None:
        metrics.rejection.observe(answer.rejection)
    for model in answer.reading.missing:
        metrics.missing.labels(model).inc()
    body = InclinationAnswer.of(answer, frozenset(include or ()))
    file_format = render.choose(asked, request.headers.get("accept", ""))
    if file_format is render.Format.JSON:
        return Response(body.model_dump_json(), media_type=render.MEDIA_TYPES[file_format])
    if include:
        raise BadRequest("Pictures can be included in JSON only.")
    columns = (*render.GALAXY_COLUMNS, *render.INCLINATION_COLUMNS)
    table = render.table([render.answer_row(body)], columns, file_format)
    return Response(table, media_type=render.MEDIA_TYPES[file_format])
