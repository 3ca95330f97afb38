"""How a long run of a command ends: by an error, by Ctrl-C, or with a summary. Each end has its exit code."""

from __future__ import annotations

import importlib
import json
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from batch.summary import Summary

SOME_FAILED, REFUSED, STOPPED, INTERRUPTED = 1, 2, 3, 130
_CLOSING_S = 1.5
"""For which everything may be closed after Ctrl-C. Files are whole at any moment, so that the process may then end."""

_INTERRUPTED = "Interrupted. What is written stays; the same command goes on from there."


def carried_out(work: Callable[[Console, Callable[[str], None]], Summary], *, quiet: bool) -> Summary:
    """Do it; where it can't be done, say why and exit."""
    console = Console(stderr=True)

    def complain(sentence: str) -> None:
        console.print(sentence, highlight=False, soft_wrap=True, markup=False)

    try:
        importlib.import_module("batch.run")
        from batch.errors import BatchError  # noqa: PLC0415 - the other commands need none of this
        from inclinet.http import proxies  # noqa: PLC0415 - as above
    except ImportError as error:
        complain(f"For many galaxies {error.name} has to be installed: pip install 'inclinet-service[batch]'.")
        raise typer.Exit(REFUSED) from None
    with _interruptible(complain):
        try:
            return work(console, (lambda _sentence: None) if quiet else complain)
        except BatchError as error:
            sentence, code = str(error), error.exit_code
        except proxies.ProxyUnusable as error:
            sentence, code = str(error), REFUSED
        except OSError as error:
            named = error.filename or "A file"
            sentence, code = f"{named} can't be read or written: {error.strerror or error}.", STOPPED
    console.print(sentence, style="red", highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(code)


@contextmanager
def _interruptible(complain: Callable[[str], None]) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the command, and the process where closing everything takes too long."""
    said = threading.Event()

    def end() -> None:
        if not said.is_set():
            complain(_INTERRUPTED)
        os._exit(INTERRUPTED)

    def interrupt(_number: int, _frame: object) -> None:
        timer = threading.Timer(_CLOSING_S, end)
        timer.daemon = True
        timer.start()
        raise KeyboardInterrupt

    # background jobs of a shell are started without the first
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        said.set()
        complain(_INTERRUPTED)
        # the timer still runs: a thread that reads what never comes would hold the interpreter
        raise typer.Exit(INTERRUPTED) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def told(summary: Summary, out: str, *, quiet: bool, as_json: bool, allow_problems: bool) -> int:
    """Say what became of it, and return the exit code."""
    failed = summary.tally.rows - summary.tally.answered
    if as_json:
        typer.echo(json.dumps(summary.as_json(out)))
    if not quiet:
        _summarise(summary, out, failed, as_json=as_json)
    if summary.failed_partitions:
        return STOPPED
    return SOME_FAILED if summary.unanswered or (failed and not allow_problems) else 0


def _summarise(summary: Summary, out: str, failed: int, *, as_json: bool) -> None:
    said, complained = Console(), Console(stderr=True)
    if failed:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("problem", no_wrap=True)
        table.add_column("rows", justify="right", no_wrap=True)
        table.add_column("such as", overflow="fold")
        for kind, (count, key, sentence) in summary.reasons.items():
            # brackets in a key are no markup
            table.add_row(Text(kind), f"{count:,}", Text(f"{key}: {sentence}"))
        complained.print(table)
    if summary.unanswered:
        again = (
            f"{summary.unanswered:,} rows got no answer for reasons that may pass: run the same command again later."
        )
        complained.print(again, highlight=False, soft_wrap=True)
    if not as_json:
        counts = f"{summary.tally.answered:,} of {summary.rows:,} rows answered"
        counts += f", {failed:,} failed" if failed else ""
        said.print(f"{counts}: {out}", highlight=False, soft_wrap=True, markup=False)
