"""Writes one JSON object per line to standard error: structlog's own lines and the libraries'."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog


def configure_logging(level: str, stream: TextIO | None = None) -> None:
    """Set up the log of this process, to ``stream`` or standard error.

    A line about a request has its ``request_id``, ``release`` and, once it is known, ``target``; with tracing its
    ``trace_id``, with API keys the name of the ``key``. Uploads and keys are never logged, addresses of clients only if
    the settings allow it.

    Parameters
    ----------
    level : str
        Least level that is logged, such as ``INFO``.
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
    # the metrics count the calls of each upstream
    for chatty in ("httpx", "httpcore", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # at DEBUG, readers of forms and pictures log what they read
    for telling in ("python_multipart", "multipart", "PIL", "pyvips"):
        logging.getLogger(telling).setLevel(logging.WARNING)
