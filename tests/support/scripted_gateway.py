"""A gateway without networks that answers batches by a script: with memory and failure switches."""

from __future__ import annotations

import asyncio
import json
import threading  # noqa: TC003 - a dataclass names it
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.live import Live

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AsyncExitStack

    from starlette.requests import Request
    from starlette.types import ASGIApp

PREFIX = "urn:inclinet:problem:"


def answer(pgc: int, release: str) -> dict[str, Any]:
    """Return an answer whose inclination reveals the galaxy."""
    low_high = {"low": 50.0, "high": 70.0}
    return {
        "galaxy": {
            "name": f"NGC {pgc}",
            "pgc": pgc,
            "ra_deg": 10.5,
            "dec_deg": -3.25,
            "d25_arcmin": 2.5,
            "axis_ratio": 0.5,
            "position_angle_deg": None,
            "source": "test",
        },
        "image": {"source": "SDSS", "format": "JPEG", "width": 512, "height": 512},
        "inclination": {
            "median_deg": inclination_of(pgc),
            "mean_deg": 60.0,
            "stdev_deg": 1.0,
            "interval68_deg": low_high,
            "interval95_deg": low_high,
            "below95_deg": None,
            "range_deg": low_high,
        },
        "flavors": [{"name": f"vgg6_m{bag}", "version": 1, "inclination_deg": 60.0} for bag in range(4)],
        "rejection": {"median": 0.25, "face_on": 0.2, "unsuitable": 0.05, "rejectors": []},
        "ellipticity": None,
        "release": release,
        "warnings": ["One thing.", "And another."],
    }


def inclination_of(pgc: int) -> float:
    """Return the inclination that the gateway answers for a galaxy."""
    return 45.0 + pgc % 4500 / 100.0


def problem(slug: str, status: int, detail: str = "As told.") -> dict[str, Any]:
    """Return a problem in the gateway's JSON."""
    return {"type": PREFIX + slug, "title": slug, "status": status, "detail": detail, "instance": "/api/batch"}


@dataclass
class ScriptedGateway:
    """Answers every PGC number with :func:`answer`, unless a switch changes it.

    Attributes
    ----------
    release : str
    problems : dict
        Problem of a row, by PGC number.
    passing : Counter
        How often a PGC number gets its problem before it is answered; without an entry it always does.
    refusals : list of Response
        Answers to the next calls, one each.
    cuts : list of int
        Numbers of rows after which the next calls, one each, lose the connection.
    ends : list of int
        Numbers of rows after which the next calls, one each, end as if complete.
    poison : set of int
        PGC numbers that make a call fail with 500.
    most_rows : int
        Number of rows above which a call gets 413.
    line : callable, optional
        Function that rewrites each line sent.
    hold : threading.Event, optional
        Blocks all output until it is set.
    calls : list of (float, list of int)
        Time of each call (monotonic), and its PGC numbers.
    answered : Counter
        Number of answers sent, by PGC number.
    """

    release: str = "first"
    problems: dict[int, dict[str, Any]] = field(default_factory=dict)
    passing: Counter[int] = field(default_factory=Counter)
    refusals: list[Response] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    poison: set[int] = field(default_factory=set)
    most_rows: int = 10_000
    line: Callable[[str], str] | None = None
    hold: threading.Event | None = None
    calls: list[tuple[float, list[int]]] = field(default_factory=list)
    answered: Counter[int] = field(default_factory=Counter)
    headers: list[dict[str, str]] = field(default_factory=list)

    def live(self) -> Live:
        """Return the gateway with a server."""

        async def make(opened: AsyncExitStack) -> ASGIApp:
            del opened
            routes = [Route("/api/models", self._models), Route("/api/batch", self._batch, methods=["POST"])]
            return Starlette(routes=routes)

        return Live(make)

    @property
    def asked(self) -> Counter[int]:
        """Number of requests for each PGC number."""
        return Counter(pgc for _, numbers in self.calls for pgc in numbers)

    async def _models(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        return JSONResponse({"release": self.release, "models": []})

    async def _batch(self, request: Request) -> Response:
        numbers = [row["pgc"] for row in await request.json()]
        self.calls.append((time.monotonic(), numbers))
        if self.refusals:
            return self.refusals.pop(0)
        if len(numbers) > self.most_rows:
            return self._problem(problem("table-too-large", 413))
        if self.poison & set(numbers):
            return self._problem(problem("internal", 500, "It broke."))
        cut = self.cuts.pop(0) if self.cuts else None
        end = self.ends.pop(0) if self.ends else len(numbers)
        return StreamingResponse(self._lines(numbers[:end], cut), media_type="application/x-ndjson")

    @staticmethod
    def _problem(said: dict[str, Any]) -> Response:
        return JSONResponse(said, said["status"], media_type="application/problem+json")

    async def _lines(self, numbers: list[int], cut: int | None) -> AsyncIterator[str]:
        for row, pgc in enumerate(numbers):
            while self.hold is not None and not self.hold.is_set():  # noqa: ASYNC110 - another thread sets it
                await asyncio.sleep(0.01)
            if cut == row:
                raise ConnectionAbortedError("as told")
            said: dict[str, Any] = {"key": str(pgc), "row": row}
            if pgc in self.problems and self.passing.get(pgc, 1) > 0:
                if pgc in self.passing:
                    self.passing[pgc] -= 1
                said |= {"ok": False, "problem": self.problems[pgc]}
            else:
                self.answered[pgc] += 1
                said |= {"ok": True, "answer": answer(pgc, self.release)}
            text = json.dumps(said)
            yield (self.line(text) if self.line else text) + "\n"
