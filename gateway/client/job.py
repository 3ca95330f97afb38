"""From a table to the table of its inclinations: what ``inclinet batch`` does, without a word to the terminal."""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from gateway.client import outfile, writers
from gateway.client.asking import Gateway
from gateway.client.journal import Journal, Lines
from gateway.client.ledger import Ledger, State
from gateway.client.run import Pace, Run, Watcher
from gateway.client.source import Source, Terms, open_source
from gateway.client.stops import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for.

    Attributes
    ----------
    paths : tuple of Path
        A table, a folder or pattern of images, or images.
    out : Path
        Where the results go; the suffix says the format.
    url : str
        Of the gateway.
    images : Path, optional
        Folder of the images that the table names.
    terms : Terms
    pace : Pace
    timeout_s : float
        A call counts as lost when nothing has come for so long.
    keep_columns : bool
        Carry the table's own columns along.
    retry_failed : bool
        Ask again what failed in an earlier run.
    any_release : bool
        Let answers of different model releases stand in one table.
    forget : bool
        Leave out answers to rows that the table does not have any longer.
    choice : mapping
        Which column of the table is which, where a person says it.
    """

    paths: tuple[Path, ...]
    out: Path
    url: str
    images: Path | None = None
    terms: Terms = field(default_factory=Terms)
    pace: Pace = field(default_factory=Pace)
    timeout_s: float = 180.0
    keep_columns: bool = False
    retry_failed: bool = False
    any_release: bool = False
    forget: bool = False
    choice: Mapping[str, str] = field(default_factory=dict)

    @property
    def journal(self) -> Path:
        """Where results are kept until the table is complete."""
        return self.out.with_name(self.out.name + ".partial")


class Audience(Watcher, Protocol):
    """Who is told how it goes."""

    def reading(self, name: str) -> None:
        """Say that the table is being read."""

    def note(self, sentence: str) -> None:
        """Say something that a person should know."""

    def asking(self, rows: int, *, done: int, failed: int) -> None:
        """Say that asking begins; ``done`` rows have a result from earlier runs, ``failed`` of them a problem."""

    def writing(self, path: Path) -> None:
        """Say that the results are being written."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of it.

    Attributes
    ----------
    rows, answered : int
    failures : dict
        Type of problem to how many rows have it, and key and sentence of the first.
    """

    rows: int
    answered: int
    failures: dict[str, tuple[int, str, str]]


def carry_out(order: Order, audience: Audience) -> Report:
    """Ask what has no result yet, and write the table.

    Raises
    ------
    stops.Stop
        Results that had come are in the journal.
    errors.BadTable
        The table, or that of an earlier run, can't be read.
    OSError
        A file could not be read or written.
    """
    _check(order)
    audience.reading(str(order.paths[0]))
    source = open_source(order.paths, order.images, order.terms, order.choice)
    for sentence in source.told:
        audience.note(sentence)
    outfile.rehearse(order.out, source, keep_columns=order.keep_columns)
    stamp = source.stamp()
    ledger = Ledger(source.questions())
    with ExitStack() as opened:
        journal = opened.enter_context(Journal(order.journal))
        # removed while it is locked, so that no other run can be writing it
        opened.callback(lambda: journal.remove() if journal.is_empty else None)
        earlier = opened.enter_context(Lines.temporary(order.out.parent))
        as_it_is = _take_over(order, source, ledger, (earlier, journal), audience)
        open_rows = ledger.count(State.OPEN)
        if open_rows:
            audience.asking(len(ledger), done=len(ledger) - open_rows, failed=ledger.count(State.FAILED))
            asyncio.run(_ask(order, source, ledger, journal, audience))
        if source.stamp() != stamp:
            raise Unusable(f"{source.name} was changed while it was asked. Run the same command again.")
        if not as_it_is or not journal.is_empty:
            audience.writing(order.out)
            about = {"release": ", ".join(sorted(ledger.releases)), "creator": _creator()}
            outfile.write(order.out, ledger, source, keep_columns=order.keep_columns, about=about)
        journal.remove()
        return Report(len(ledger), ledger.count(State.ANSWERED), _failures(ledger))


def _check(order: Order) -> None:
    out = order.out
    if writers.format_of(out.suffix) is None:
        raise Unusable(f"The name of {out} has to end in one of {writers.suffixes()}.")
    if writers.format_of(out.suffix) == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise Unusable(f"To write {out}, pyarrow has to be installed.")
    if not out.parent.is_dir():
        raise Unusable(f"There is no folder {out.parent}.")
    if out.is_dir():
        raise Unusable(f"{out} is a folder.")
    if out.exists() and any(path.exists() and path.samefile(out) for path in order.paths):
        raise Unusable(f"{out} is what is asked; the results need a name of their own.")


def _take_over(order: Order, source: Source, ledger: Ledger, kept: tuple[Lines, Journal], audience: Audience) -> bool:
    """Take over results of earlier runs; returns whether the finished table would be written the same again."""
    as_it_is, (earlier, journal) = False, kept
    if order.out.exists():
        outfile.read(order.out, ledger, earlier)
        # columns that are carried along may hold other values than they did
        as_it_is = ledger.take(earlier, retry_failed=order.retry_failed) and not order.keep_columns
        as_it_is = as_it_is and outfile.is_as_written(order.out)
    if not journal.is_empty:
        ledger.take(journal, retry_failed=order.retry_failed)
    if ledger.gone and not order.forget:
        example = next(iter(ledger.gone.values()))
        where = order.out if order.out.exists() else order.journal
        raise Unusable(
            f"{where} holds {_answers(ledger)} to what {source.name} does not ask (such as {example}). "
            "Choose another name for the results, or leave that out with --forget."
        )
    if ledger.gone:
        audience.note(f"Left out: {_answers(ledger)} to what {source.name} does not ask.")
    changed = _reopen_changed(source, ledger)
    if changed:
        audience.note(f"Asked again, because the image has changed since: {changed:,}.")
    done = len(ledger) - ledger.count(State.OPEN)
    if done:
        audience.note(f"{done:,} of {len(ledger):,} rows have their result from an earlier run.")
    return as_it_is


def _answers(ledger: Ledger) -> str:
    return f"{len(ledger.gone):,} answer{'' if len(ledger.gone) == 1 else 's'}"


def _reopen_changed(source: Source, ledger: Ledger) -> int:
    """Forget the answers about images that are younger than these."""
    if ledger.count(State.ANSWERED) == 0:
        return 0
    changed = 0
    for question in source.questions():
        if question.image is None or ledger.state(question.number) is not State.ANSWERED:
            continue
        try:
            is_younger = question.image.stat().st_mtime > ledger.asked_at(question.number)
        except OSError:
            continue  # an image that is gone has its answer
        if is_younger:
            ledger.reopen(question.number)
            changed += 1
    return changed


async def _ask(order: Order, source: Source, ledger: Ledger, journal: Journal, audience: Audience) -> None:
    async with Gateway(order.url, order.terms, timeout_s=order.timeout_s) as gateway:
        run = Run(source, ledger, journal, gateway, pace=order.pace, watcher=audience, any_release=order.any_release)
        try:
            await run.finish()
        finally:
            journal.sync()


def _failures(ledger: Ledger) -> dict[str, tuple[int, str, str]]:
    counts: Counter[str] = Counter()
    firsts: dict[str, tuple[str, str]] = {}
    for result in ledger.failures():
        kind = result.row["problem_type"]
        counts[kind] += 1
        firsts.setdefault(kind, (result.row["key"], result.row.get("problem", "")))
    return {kind: (count, *firsts[kind]) for kind, count in counts.most_common()}


def _creator() -> str:
    try:
        return f"inclinet {importlib.metadata.version('inclinet')}"
    except importlib.metadata.PackageNotFoundError:
        return "inclinet"
