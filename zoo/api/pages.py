"""The zoo's pages, from local files only, and the endpoints for the platform."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import FileResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from gateway.api.routes.page import WEB as SHARED
from zoo.api.dependencies import WiredZoo

router = APIRouter(include_in_schema=False)

WEB = Path(__file__).resolve().parents[1] / "web"
PAGES = ("measure", "results", "me", "moderation")


@router.get("/")
async def index() -> FileResponse:
    """Serve the list of projects."""
    return FileResponse(WEB / "index.html")


@router.get("/docs")
async def docs() -> FileResponse:
    """Serve Swagger UI over ``/openapi.json``."""
    return FileResponse(SHARED / "docs.html")


@router.get("/livez")
async def livez() -> dict[str, str]:
    """Answer as long as the event loop turns."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(services: WiredZoo) -> JSONResponse:
    """Ask the database anything."""
    try:
        with services.database.read() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return JSONResponse({"status": "the database can't be asked"}, 503)
    return JSONResponse({"status": "ok"})


@router.get("/metrics")
async def metrics(services: WiredZoo) -> Response:
    """Write every metric in Prometheus' text format."""
    return Response(generate_latest(services.metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _page(name: str) -> None:
    async def page() -> FileResponse:
        return FileResponse(WEB / f"{name}.html")

    router.add_api_route(f"/{name}", page)


for _name in PAGES:
    _page(_name)


def mount(app: FastAPI) -> None:
    """Serve the zoo's files under ``/zoo``, those shared with the gateway under ``/web``, and Swagger UI's."""
    app.mount("/zoo", GZipMiddleware(StaticFiles(directory=WEB)), name="zoo")
    app.mount("/web", GZipMiddleware(StaticFiles(directory=SHARED)), name="web")
    swagger = importlib.resources.files("fastapi_offline") / "static"
    app.mount("/swagger", StaticFiles(directory=str(swagger)), name="swagger")
