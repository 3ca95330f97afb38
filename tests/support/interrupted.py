"""A program that runs commands, each in a process of its own, and interrupts each at another moment.

It prints JSON: for each moment the exit code and the text on standard output and error.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import threading
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from gateway.core import interrupts
from gateway.core.files import written_whole
from gateway.sky.resolvers import download as downloading
from inclinet.main import app
from inclinet_service.commands.running import run_or_exit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from pathlib import Path
    from types import FrameType

    from batch.summary import Summary

NUMBER = signal.Signals[sys.argv[1]]
"""Signal that interrupts the commands."""


def interrupt() -> None:
    """Raise the signal now, as another process would send it."""
    os.kill(os.getpid(), NUMBER)


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the test reads it


@asynccontextmanager
async def opened(name: str) -> AsyncIterator[None]:
    """Open a resource whose closing takes a while; it prints when it is closed."""
    try:
        yield
    finally:
        for _ in range(3):
            await asyncio.sleep(0)
        say(f"{name} closed")


async def group(first: Callable[[], object]) -> None:
    """Call ``first`` deep in a task of a group, beside a task that waits for ever."""

    async def task() -> None:
        async with opened("inner"):
            await asyncio.sleep(0)
            first()
            await asyncio.Event().wait()

    async def fails() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ConnectionError

    async with opened("outer"), asyncio.TaskGroup() as tasks:
        tasks.create_task(fails())
        tasks.create_task(task())


def before_the_loop() -> None:
    interrupt()


def between_two_loops() -> None:
    interrupts.run(asyncio.sleep, 0)
    interrupt()


def in_a_task_of_a_group() -> None:
    interrupts.run(asyncio.sleep, 0)
    interrupts.run(group, interrupt)


def twice_in_a_task() -> None:
    def first() -> None:
        interrupt()
        interrupt()

    interrupts.run(group, first)


def again_while_it_closes() -> None:
    async def main() -> None:
        try:
            await group(interrupt)
        finally:
            interrupt()
            await asyncio.sleep(0)
            interrupt()

    interrupts.run(main)


def in_a_callback_of_the_loop() -> None:
    interrupts.run(group, lambda: asyncio.get_running_loop().call_soon(interrupt))


def in_the_main_task_as_it_ends() -> None:
    async def main() -> None:
        interrupt()

    interrupts.run(main)


def where_cancelling_is_swallowed() -> None:
    async def main() -> None:
        try:
            await group(interrupt)
        except (asyncio.CancelledError, ExceptionGroup):
            say("swallowed")

    interrupts.run(main)


def while_the_loop_is_closed() -> None:
    async def numbers() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            interrupt()

    async def main() -> None:
        kept.append(numbers())
        await anext(kept[0])

    kept: list[AsyncGenerator[int]] = []
    interrupts.run(main)


def in_a_thread_that_ends() -> None:
    async def main() -> None:
        async with opened("outer"):
            await asyncio.to_thread(interrupt)
            await asyncio.Event().wait()

    interrupts.run(main)


def in_a_thread_that_never_ends() -> None:
    def work() -> None:
        interrupt()
        threading.Event().wait()

    async def main() -> None:
        async with opened("outer"):
            await asyncio.to_thread(work)

    interrupts.run(main)


def while_an_object_is_deleted() -> None:
    class Thing:
        def __del__(self) -> None:
            interrupt()

    Thing()
    threading.Event().wait()


def while_a_thread_is_started() -> None:
    with threading._active_limbo_lock:  # type: ignore[attr-defined]  # noqa: SLF001 - held in the midst of a start
        interrupt()


MOMENTS = (
    before_the_loop,
    between_two_loops,
    in_a_task_of_a_group,
    twice_in_a_task,
    again_while_it_closes,
    in_a_callback_of_the_loop,
    in_the_main_task_as_it_ends,
    where_cancelling_is_swallowed,
    while_the_loop_is_closed,
    in_a_thread_that_ends,
    in_a_thread_that_never_ends,
    while_an_object_is_deleted,
    while_a_thread_is_started,
)


def command(moment: Callable[[], None]) -> None:
    """Run a command that is interrupted in its middle."""

    def work(*_arguments: Any) -> Summary:
        moment()
        raise AssertionError("not interrupted")

    run_or_exit(work, quiet=True)


def download() -> None:
    """Download a catalogue, interrupted in the middle."""

    async def half(path: Path, **_settings: Any) -> int:
        with written_whole(path) as being_written:
            being_written.write_text("half of it")
            await group(interrupt)
        return 0

    with patch.object(downloading, "download", half):
        app(["catalog", "download", sys.argv[2]])


def batch(arguments: list[str], at: int | None) -> int:
    """Run ``inclinet batch``, interrupted after ``at`` function calls; return the number of calls."""
    calls = 0

    def called(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        if event == "call" and began.is_set():
            calls += 1
            if calls == at:
                interrupt()

    began = threading.Event()
    until_interrupted = interrupts.until_interrupted

    def counted(*given: Any) -> Any:
        # the part of the command in which signals are handled
        def work() -> Any:
            began.set()
            try:
                return given[0]()
            finally:
                began.clear()

        return until_interrupted(work, given[1])

    with patch.object(interrupts, "until_interrupted", counted):
        sys.setprofile(called)
        try:
            app(["batch", *arguments], standalone_mode=False)
        finally:
            sys.setprofile(None)
    return calls


def in_child(work: Callable[[], object]) -> tuple[int, str, str]:
    """Run work in a process of its own; return its exit code, standard output and standard error."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if (child := os.fork()) == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            try:
                work()
                code = 0
            except BaseException:  # noqa: BLE001 - also exceptions that end a program
                sys.excepthook(*sys.exc_info())
                code = 1
            sys.stdout.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode())
        return code, said[0], said[1]


def main() -> None:
    """Interrupt every case above and a download (``PATH``), or a batch at the given moments."""
    if len(sys.argv) == 3:
        done = {moment.__name__: in_child(partial(command, moment)) for moment in MOMENTS}
        done["download"] = in_child(download)
    else:
        moments, folder, *arguments = sys.argv[2:]
        whole = in_child(lambda: say(str(batch([*arguments, "-o", f"{folder}/whole.csv"], None))))
        calls = int(whole[1])
        done = {"whole": whole}
        for number in range(int(moments)):
            at = 1 + (calls - 1) * number // int(moments)
            out = f"{folder}/{number}.csv"
            done[f"{out} after {at} of {calls} calls"] = in_child(partial(batch, [*arguments, "-o", out], at))
    print(json.dumps(done))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main()
