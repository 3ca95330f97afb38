"""``inclinet batch``: the arguments, the exit codes and the last words of a run."""

from __future__ import annotations

import signal
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from gateway.client.address import DEFAULT_URL, Url
from gateway.core.models import FrameChoice  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from gateway.client.job import Order

SOME_FAILED, USAGE, GAVE_UP, INTERRUPTED = 1, 2, 3, 130


def batch(
    table: Annotated[
        list[Path],
        typer.Argument(
            metavar="TABLE",
            help="A table (CSV, ECSV, VOTable, FITS, Parquet), a folder of images, a pattern in quotes, or images.",
            show_default=False,
        ),
    ],
    *,
    out: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Table to write: .csv, .ecsv, .vot, .fits or .parquet.", show_default=False
        ),
    ],
    url: Url = DEFAULT_URL,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the images that the table names; else the table's own.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NAME",
            help="Which column is which, where its name does not say it: ra=NAME, dec=, pgc=, name=, fov=, pa=, file=, "
            "key=. Several times for several; an empty NAME leaves a role out.",
        ),
    ] = None,
    keep_columns: Annotated[bool, typer.Option("--keep-columns", help="Carry the table's own columns along.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again what failed in an earlier run.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Leave out answers to rows that the table has no longer.")
    ] = False,
    mix_releases: Annotated[
        bool, typer.Option("--mix-releases", help="Let answers of different model releases stand in one table.")
    ] = False,
    survey: Annotated[str | None, typer.Option(help="Survey to take images from, such as sdss or panstarrs.")] = None,
    r: Annotated[
        float | None, typer.Option(min=0, max=0.99, help="Axis ratio of an edge-on disc, for the comparison; else 0.3.")
    ] = None,
    frame: Annotated[
        FrameChoice | None,
        typer.Option(help="What of an image is measured: a frame around a small galaxy (auto), or the whole of it."),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=256, help="Calls at the same time.")] = 4,
    chunk: Annotated[int, typer.Option(min=1, help="Most rows of one call.")] = 100,
    attempts: Annotated[int, typer.Option(min=1, help="Times that a row is asked whose problem may pass.")] = 3,
    patience: Annotated[
        float, typer.Option(min=0, help="Give up after so many seconds without a result and with failures only.")
    ] = 600.0,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="A call counts as lost when nothing has come for so many seconds.")
    ] = 180.0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no summary.")] = False,
) -> None:
    """Measure a whole table, or many images, and write a table of inclinations.

    Results are kept in OUTPUT.partial while they come:
    however a run ends, the same command goes on from there.
    Run it again when the table has grown, and only what is new is asked.

    Exit codes: 0 all rows answered, 1 some failed,
    2 the command can't be carried out, 3 the gateway was gone for too long
    or answers with another release, 130 Ctrl-C.
    """
    from gateway.client.job import Order  # noqa: PLC0415 - the other commands need none of this
    from gateway.client.run import Pace  # noqa: PLC0415 - as above
    from gateway.client.source import Terms  # noqa: PLC0415 - as above

    order = Order(
        tuple(table),
        out,
        url,
        images=images,
        terms=Terms(survey, r, frame),
        pace=Pace(concurrency, chunk, attempts=attempts, patience_s=patience),
        timeout_s=timeout,
        keep_columns=keep_columns,
        retry_failed=retry_failed,
        any_release=mix_releases,
        forget=forget,
        choice=_choice(column or []),
    )
    raise typer.Exit(_carried_out(order, quiet=quiet))


def _choice(given: list[str]) -> dict[str, str]:
    from gateway.core import errors  # noqa: PLC0415 - as above
    from gateway.tables import columns  # noqa: PLC0415 - as above

    try:
        return columns.choice_of(given)
    except errors.BadTable as error:
        raise typer.BadParameter(error.detail, param_hint="--column") from None


def _carried_out(order: Order, *, quiet: bool) -> int:
    """Carry it out, say what became of it, and return the exit code."""
    from gateway.client import job, show, stops  # noqa: PLC0415 - as above
    from gateway.core import errors, proxies  # noqa: PLC0415 - as above

    said, complained = Console(), Console(stderr=True)
    # Who ends the process politely gets the same as from Ctrl-C. Background jobs of a shell are started without that.
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT)),
    }
    try:
        with show.Show(complained, quiet=quiet) as audience:
            report = job.carry_out(order, audience)
    except stops.Stop as error:
        sentence, code = str(error), error.exit_code
    except errors.InclinetError as error:
        sentence, code = error.detail, USAGE
    except proxies.ProxyUnusable as error:
        sentence, code = str(error), USAGE
    except OSError as error:
        sentence, code = f"{error.filename or 'A file'} can't be read or written: {error.strerror or error}.", GAVE_UP
    except KeyboardInterrupt:
        sentence, code = "Interrupted.", INTERRUPTED
    else:
        if not quiet:
            show.tell(report, order.out, said, complained)
        return SOME_FAILED if report.failures else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    complained.print(sentence, style="red", highlight=False, soft_wrap=True, markup=False)
    if order.journal.exists():
        kept = f"Results so far are kept in {order.journal}; the same command goes on from there."
        complained.print(kept, highlight=False, soft_wrap=True, markup=False)
    return code
