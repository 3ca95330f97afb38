"""``inclinet table``: measures every row of a table by a gateway."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from inclinet.commands.address import DEFAULT_URL, Samp, Survey, Url, client, send
from inclinet.commands.terminal import FAILED, err, out, stop
from inclinet.errors import InclinetError
from inclinet.http import questions

_SHOWN = (
    "key",
    "inclination_deg",
    "interval68_low_deg",
    "interval68_high_deg",
    "below95_deg",
    "rejection",
    "rejection_face_on",
    "rejection_unsuitable",
    "problem",
)


def table(
    file: Annotated[Path, typer.Argument(help="A table: CSV, ECSV, VOTable, FITS or Parquet.", dir_okay=False)],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Table to write: .vot, .fits, .ecsv or .csv.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE=NAME", help="Which column is which: ra=NAME, dec=, pgc=, name=, fov=, pa=, key=."),
    ] = None,
    survey: Survey = None,
    url: Url = DEFAULT_URL,
    samp: Samp = False,
) -> None:
    """Measure the galaxies of a table, as many as a gateway takes at once.

    Tables of any length, and runs that go on after whatever stopped them: inclinet batch.
    """
    choice = dict(one.partition("=")[::2] for one in column or [])
    try:
        with client(url) as asked:
            result = asked.query_table(file, columns=choice, survey=survey, progress=True)
    except InclinetError as error:
        raise stop(error.detail) from None
    except OSError as error:
        raise stop(f"{file} can't be read: {error.strerror}.") from None
    failed = sum(result["problem_type"] != "")
    if output is not None:
        try:
            output.write_bytes(questions.table_bytes(result, output.suffix))
        except (OSError, ValueError) as error:
            raise stop(f"{output} can't be written: {error}.") from None
        err.print(f"{len(result) - failed:,} of {len(result):,} rows answered: {output}", highlight=False)
    if samp:
        send(result)
    if output is None and not samp:
        out.print("\n".join(result[_SHOWN].pformat(max_lines=-1, max_width=-1)), highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(FAILED)
