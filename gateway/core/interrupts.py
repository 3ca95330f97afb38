"""Handles Ctrl-C and SIGTERM: everything open is closed in order, and the user sees one sentence.

A ``KeyboardInterrupt`` raised inside the event loop ends a random task or breaks a connection, and asyncio reports
every task that fails with it. While a loop runs, a signal therefore cancels the main task, and the exception is raised
after the loop is closed.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")
T = TypeVar("T")

_CLOSING_S = 1.5
"""Time to close everything, seconds. Files are whole at any moment, so that the process may end after it."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Interruption:
    """Signal handler of the running command. Only the first signal has an effect.

    Attributes
    ----------
    came : bool
        Whether a signal has arrived.
    raised : bool
        Whether the handler may raise at this point of the program; otherwise it records the signal.
    main : asyncio.Task, optional
        Main task of the running event loop.
    """

    def __init__(self, end: Callable[[], NoReturn]) -> None:
        self.came = self.raised = False
        self.main: asyncio.Task[Any] | None = None
        self._end = end
        self._signalled, self.wakeup = socket.socketpair()
        self.wakeup.settimeout(0)
        # started in advance, since a signal may arrive while the program is starting another thread
        threading.Thread(target=self._last_resort, name="interrupts", daemon=True).start()

    def receive(self, _number: int, _frame: object) -> None:
        if self.came:
            return
        self.came = True
        if self.main is not None:
            self.main.get_loop().call_soon_threadsafe(self.main.cancel)
        elif self.raised:
            raise KeyboardInterrupt

    def _last_resort(self) -> None:
        """Wait for a signal also while the main thread is inside a library call that does not return."""
        with self._signalled:
            while number := self._signalled.recv(1):
                if number[0] in _SIGNALS:
                    time.sleep(_CLOSING_S)
                    self._end()


_interruption: _Interruption | None = None
"""Interruption of the running command; global, since signal handlers are global to the process."""


def until_interrupted(work: Callable[[], T], end: Callable[[], NoReturn]) -> T:
    """Run ``work`` in the main thread until it is done or SIGINT or SIGTERM arrives.

    Parameters
    ----------
    work : callable
        Function that runs its coroutines with :func:`run`.
    end : callable
        Ends the process. It is called after ``work``, or by another thread if closing takes too long.
    """
    global _interruption  # noqa: PLW0603 - signal handlers are global to the process
    _interruption = mine = _Interruption(end)
    wakeup = signal.set_wakeup_fd(mine.wakeup.fileno(), warn_on_full_buffer=False)
    # SIGINT too, since a shell starts background jobs with SIGINT ignored
    handlers = {number: signal.signal(number, mine.receive) for number in _SIGNALS}
    hook, sys.unraisablehook = sys.unraisablehook, _quiet
    try:
        mine.raised = True
        if mine.came:
            end()
        return work()
    finally:
        mine.raised = False
        _interruption = None
        sys.unraisablehook = hook
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if mine.came:
            end()
        signal.set_wakeup_fd(wakeup)
        mine.wakeup.close()


def _quiet(unraisable: sys.UnraisableHookArgs) -> None:
    """Ignore an interrupt raised while an object was deleted; the last-resort thread handles that signal."""
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)


def run(function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a coroutine function in a new event loop, as :func:`asyncio.run` does.

    Raises
    ------
    KeyboardInterrupt
        A signal arrived under :func:`until_interrupted`. The coroutine was cancelled, and the loop is closed.
    """
    mine = _interruption
    if mine is None or threading.current_thread() is not threading.main_thread():
        return asyncio.run(function(*args, **kwargs))

    async def main() -> T:
        mine.main = asyncio.current_task()
        try:
            if mine.came:
                raise asyncio.CancelledError
            return await function(*args, **kwargs)
        finally:
            mine.main = None

    mine.raised = False
    try:
        return asyncio.run(main())
    finally:
        mine.raised = True
        if mine.came:
            raise KeyboardInterrupt
