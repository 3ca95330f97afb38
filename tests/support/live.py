"""An application with a real HTTP server on loopback in a thread of its own, so that clients use a real network."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Self

import uvicorn

from gateway.app import create_app
from gateway.settings import Settings
from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE
from tests.support.manifests import models_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from types import TracebackType

    from starlette.types import ASGIApp


class Live:
    """Serves an application as a context manager; leaving drops all connections.

    Parameters
    ----------
    make : coroutine function
        Makes the application in the server's event loop; resources in the given stack are closed at the end.
    port : int
        Port to use; a free one unless given.
    """

    def __init__(self, make: Callable[[AsyncExitStack], Awaitable[ASGIApp]], port: int = 0) -> None:
        self._make = make
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._ready = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        try:
            async with AsyncExitStack() as opened:
                app = await self._make(opened)
                config = uvicorn.Config(app, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
                self._server = uvicorn.Server(config)
                serving = asyncio.create_task(self._server.serve([self._socket]))
                while not self._server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
                    await asyncio.sleep(0.01)
                self._ready.set()
                await serving
                # a browser may have a question under way that the server does not wait for
                for connection in list(self._server.server_state.connections):
                    connection.transport.abort()
                await asyncio.sleep(0)
        finally:
            self._ready.set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(60)
        assert self._server is not None, "the server did not start"
        assert self._server.started, "the server did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.should_exit = True
        self._thread.join(60)
        self._socket.close()
        assert not self._thread.is_alive(), "the server did not end"


def live_gateway(serving: FakeServing | None = None, **settings: Any) -> Live:
    """Return the real gateway in front of fake networks of the same release."""

    async def make(opened: AsyncExitStack) -> ASGIApp:
        fake = await opened.enter_async_context(serving or FakeServing(models_of(RELEASE)))
        return create_app(Settings(serving=fake.address, **settings), manifest=RELEASE)

    return Live(make)


@contextmanager
def networks(serving: FakeServing) -> Iterator[str]:
    """Run fake networks in a thread of their own; yield their address."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(serving.start(), loop).result(60)
        yield serving.address
    finally:
        asyncio.run_coroutine_threadsafe(serving.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()
