"""One JSON object a line on standard error: structlog's own lines and the libraries' alike."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Log to ``stream`` for this process; standard error unless given.

    A line of a request carries its ``request_id``, ``release`` and, once it is known, ``target``; with tracing its
    ``trace_id``, with API keys the name of the ``key``. What a client uploads and the keys themselves are never logged,
    addresses of clients only where the settings say so.

    Parameters
    ----------
    level : str
        Such as ``INFO``.
    stream : text file, optional
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        ),
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # one line per call to each upstream is the metrics' work
    for chatty in ("httpx", "httpcore", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # readers of forms and pictures tell what they read, at DEBUG
    for telling in ("python_multipart", "multipart", "PIL", "pyvips"):
        logging.getLogger(telling).setLevel(logging.WARNING)
