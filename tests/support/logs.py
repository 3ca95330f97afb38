"""The log of the gateway, line by line, as an operator's collector gets it."""

from __future__ import annotations

import io
import json
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from gateway.telemetry.logs import configure_logging

if TYPE_CHECKING:
    from collections.abc import Iterator


class Log:
    """What has been logged so far."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        """All of it."""
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """One object a line."""
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        """The lines of an event."""
        return [line for line in self.lines if line["event"] == event]


@contextmanager
def logged(level: str = "INFO") -> Iterator[Log]:
    """Log as the gateway does within the block, and as before after it."""
    log, root = Log(), logging.getLogger()
    handlers, before = root.handlers, root.level
    configure_logging(level, log.stream)
    try:
        yield log
    finally:
        root.handlers, root.level = handlers, before
        structlog.reset_defaults()
