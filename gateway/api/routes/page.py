"""The web page and the API's description, from local files only."""

from __future__ import annotations

import dataclasses
import importlib.resources
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, JSONResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from gateway.tables import results

router = APIRouter(include_in_schema=False)

WEB = Path(__file__).resolve().parents[2] / "web"


@router.get("/")
async def page() -> FileResponse:
    """Serve the page."""
    return FileResponse(WEB / "index.html")


@router.get("/docs")
async def docs() -> FileResponse:
    """Serve Swagger UI over ``/openapi.json``."""
    return FileResponse(WEB / "docs.html")


@router.get("/web/columns.json")
async def columns() -> JSONResponse:
    """Tell what the columns of results mean, for the tables that the page writes."""
    return JSONResponse([dataclasses.asdict(column) for column in results.BATCH_COLUMNS])


def mount(app: FastAPI) -> None:
    """Serve the page's files under ``/web`` and those of Swagger UI under ``/swagger``."""
    # compressed here and not around the whole app, where compression would hold back the rows of a stream
    app.mount("/web", GZipMiddleware(StaticFiles(directory=WEB)), name="web")
    swagger = importlib.resources.files("fastapi_offline") / "static"
    app.mount("/swagger", StaticFiles(directory=str(swagger)), name="swagger")
