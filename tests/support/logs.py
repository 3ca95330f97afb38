"""The gateway's log, line by line, as an operator's collector receives it."""

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
    """The log so far."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        """The whole text."""
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """One object per line."""
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of an event."""
        return [line for line in self.lines if line["event"] == event]


@contextmanager
def logged(level: str = "INFO") -> Iterator[Log]:
    """Set up the gateway's log within a ``with`` block."""
    log, root = Log(), logging.getLogger()
    handlers, before = root.handlers, root.level
    configure_logging(level, log.stream)
    try:
        yield log
    finally:
        root.handlers, root.level = handlers, before
        structlog.reset_defaults()
