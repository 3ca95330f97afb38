"""``inclinet up`` and ``inclinet gateway``: run the service."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from inclinet.commands import terminal
from inclinet_service.commands.configured import settings


class LogLevel(StrEnum):
    """Least level that the gateway logs."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


def up(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8080,
    serving: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Use this TensorFlow Serving instead of starting the stand-in."),
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="Manifest of the model release.")] = None,
    log_level: Annotated[LogLevel, typer.Option(help="What the gateway logs, as JSON.")] = LogLevel.WARNING,
    serving_log: Annotated[Path, typer.Option(help="Where the stand-in's output goes.")] = Path(
        ".inclinet/serving.log"
    ),
) -> None:
    """Start the networks and the gateway on this machine, and run until Ctrl-C."""
    from inclinet_service import local
    from inclinet_service import up as service

    changed: dict[str, Any] = {"log_level": str(log_level)}
    if serving is not None:
        changed["serving"] = serving
    if manifest is not None:
        changed["manifest"] = manifest
    if "INCLINET_CACHE_DIR" not in os.environ:
        changed["cache_dir"] = serving_log.parent / "cache"
    try:
        service.up(
            service.Start(
                settings=settings(changed),
                host=host,
                port=port,
                own_serving=serving is None and "INCLINET_SERVING" not in os.environ,
                log=serving_log,
                say=lambda line: terminal.out.print(line, highlight=False, soft_wrap=True),
            ),
        )
    except local.StartError as error:
        raise terminal.stop(str(error)) from None


def gateway(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "0.0.0.0",  # noqa: S104 - a container's face
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8080,
) -> None:
    """Run the gateway alone, as its container does; the environment INCLINET_* holds its settings."""
    from inclinet_service import local

    try:
        local.run_gateway(settings({}), host=host, port=port)
    except local.StartError as error:
        raise terminal.stop(str(error)) from None
