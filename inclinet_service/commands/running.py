"""The end of a long command: an error, Ctrl-C, or a summary, each with its exit code."""

from __future__ import annotations

import importlib
import json
import os
import threading
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.core import interrupts

if TYPE_CHECKING:
    from collections.abc import Callable

    from batch.summary import Summary

SOME_FAILED, REFUSED, STOPPED, INTERRUPTED = 1, 2, 3, 130

T = TypeVar("T")


class _GivenUp(Exception):
    """The work can't be done: a message, and the exit code."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def run_or_exit(work: Callable[[Console, Callable[[str], None]], Summary], *, quiet: bool) -> Summary:
    """Do the work; on a failure, print the reason and exit."""
    console = Console(stderr=True)

    def complain(sentence: str) -> None:
        console.print(sentence, highlight=False, soft_wrap=True, markup=False)

    def done() -> Summary:
        try:
            importlib.import_module("batch.run")
            from batch.errors import BatchError
            from inclinet.http import proxies
        except ImportError as error:
            install = f"For many galaxies {error.name} has to be installed: pip install 'inclinet-service[batch]'."
            raise _GivenUp(install, REFUSED) from None
        try:
            return work(console, (lambda _sentence: None) if quiet else complain)
        except BatchError as error:
            raise _GivenUp(str(error), error.exit_code) from error
        except proxies.ProxyUnusable as error:
            raise _GivenUp(str(error), REFUSED) from None

    try:
        return interruptible(done, console, "What is written stays; the same command goes on from there.")
    except _GivenUp as error:
        sentence, code = str(error), error.code
    except OSError as error:
        named = error.filename or "A file"
        sentence, code = f"{named} can't be read or written: {error.strerror or error}.", STOPPED
    console.print(sentence, style="red", highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(code)


def interruptible(work: Callable[[], T], console: Console, sentence: str) -> T:
    """Do the work; Ctrl-C and SIGTERM end it, and the process."""
    ending = threading.Lock()
    # a helper process of Dask would print warnings after our last message
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")

    def end() -> NoReturn:
        # never released, so that only the first signal prints
        ending.acquire()
        console.show_cursor()
        console.print(f"Interrupted. {sentence}", highlight=False, soft_wrap=True, markup=False)
        # a thread blocked in a read would keep the interpreter alive
        os._exit(INTERRUPTED)

    return interrupts.until_interrupted(work, end)


def print_summary(summary: Summary, out: str, *, quiet: bool, as_json: bool, allow_problems: bool) -> int:
    """Print the summary, and return the exit code."""
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
            # brackets in a key are not rich's markup
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
