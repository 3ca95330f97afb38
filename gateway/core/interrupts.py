"""How Ctrl-C and SIGTERM end a command: whatever is open is closed in order, and nothing is said but one sentence.

A ``KeyboardInterrupt`` that is raised wherever the event loop happens to be ends a task of a group, or a connection in
the midst of its work, and asyncio reports what it takes down with it. While a loop runs, a signal therefore cancels the
main task, and is raised after the loop is closed.
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
"""For which everything may be closed. Files are whole at any moment, so that the process may then end."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Interruption:
    """What a signal does to the command that is carried out. Only the first one does anything.

    Attributes
    ----------
    came : bool
        Whether there was a signal.
    raised : bool
        Whether a signal may be raised where the program is; else it is noted.
    main : asyncio.Task, optional
        The main task of the loop that runs.
    """

    def __init__(self, end: Callable[[], NoReturn]) -> None:
        self.came = self.raised = False
        self.main: asyncio.Task[Any] | None = None
        self._end = end
        self._signalled, self.wakeup = socket.socketpair()
        self.wakeup.settimeout(0)
        # a thread can't be started at any moment: the signal may come while the program is starting one
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
        """Hear of a signal also where the main thread does not, because it is in a library that does not come back."""
        with self._signalled:
            while number := self._signalled.recv(1):
                if number[0] in _SIGNALS:
                    time.sleep(_CLOSING_S)
                    self._end()


_interruption: _Interruption | None = None
"""Of the command that is carried out; signals are the process's."""


def until_interrupted(work: Callable[[], T], end: Callable[[], NoReturn]) -> T:
    """Do something in the main thread that SIGINT and SIGTERM end.

    Parameters
    ----------
    work : callable
        Runs its coroutines with :func:`run`.
    end : callable
        Ends the process. It is called after ``work``, or by another thread where closing takes too long.
    """
    global _interruption  # noqa: PLW0603 - as the handlers of signals are
    _interruption = mine = _Interruption(end)
    wakeup = signal.set_wakeup_fd(mine.wakeup.fileno(), warn_on_full_buffer=False)
    # also SIGINT, which background jobs of a shell are started without
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
    """Let a signal that came while an object was deleted, where nothing can be raised, to the last resort."""
    if unraisable.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(unraisable)


def run(function: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a coroutine function in a new event loop, as :func:`asyncio.run` does.

    Raises
    ------
    KeyboardInterrupt
        A signal came under :func:`until_interrupted`. The coroutine was cancelled, and the loop is closed.
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
