"""A fake service that counts, a client that records its metrics, and a deadline for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.sky.http.client import HttpClient
from gateway.sky.http.service import NonsenseError, Reply, Service
from tests.support.sky_http import FakeReply, FakeService, Seen

if TYPE_CHECKING:
    from gateway.sky.http.cache import DiskCache
    from gateway.sky.http.retry_policy import RetryPolicy

Event = tuple[str, str]


class Counter(FakeService):
    """Answers with the number of requests so far."""

    def answer(self, request: Seen) -> FakeReply:
        if "teapot" in request.query:
            return FakeReply(b"no", "text/plain", 418, "Teapot")
        if "unknown" in request.query:
            return FakeReply(b"unknown", "text/plain")
        return FakeReply(f"answer {len(self.requests)}".encode() + b" " * 2000, "text/plain")


def parse(reply: Reply) -> str:
    if reply.content == b"unknown":
        raise errors.UnknownTarget("Nothing of that name.")
    if not reply.text.startswith("answer"):
        raise NonsenseError("with something odd")
    return reply.text.strip()


class Client(HttpClient):
    """A client that records its own metrics."""

    def __init__(self, policy: RetryPolicy, cache: DiskCache | None = None, *, contact: str = "") -> None:
        self.events: list[Event] = []
        super().__init__(
            policy,
            contact=contact,
            cache=cache,
            observe=lambda name, outcome, _: self.events.append((name, outcome)),
        )

    @property
    def outcomes(self) -> list[str]:
        return [outcome for _, outcome in self.events]


def service(*fakes: FakeService, **changes: Any) -> Service:
    return Service("Fake", tuple(fake.url + "/api" for fake in fakes), **{"timeout_s": 5.0, **changes})


def soon() -> Deadline:
    """Return a deadline that no answer misses, even on a slow machine."""
    return Deadline.after(60)
