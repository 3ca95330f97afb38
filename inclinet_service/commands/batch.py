"""``inclinet batch`` and ``inclinet fetch``: the options, the exit codes and the summary of a run."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from gateway.core.models import FrameChoice  # noqa: TC001 - typer reads the annotations
from gateway.core.resources import processors
from inclinet.commands.address import DEFAULT_URL, Survey, Url
from inclinet_service.commands import configured
from inclinet_service.commands.running import print_summary, run_or_exit

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from batch.fetching.galaxies import Fetching
    from batch.summary import Summary

LOCAL = "local"


class DaskCommand(TyperCommand):
    """A command whose option ``--dask`` needs no value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give ``--dask`` its default value, unless a scheduler's address follows."""
        given = itertools.pairwise([*args, ""])
        args = [f"--dask={LOCAL}" if one == "--dask" and "://" not in after else one for one, after in given]
        return super().parse_args(ctx, args)


Column = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ROLE=NAME",
        help="Which column is which, where its name does not say it: ra=NAME, dec=, pgc=, name=, fov=, pa=, file=, "
        "key=, d25=, radius=, petrosian=, half_light=. Several times for several; an empty NAME leaves a role out.",
    ),
]
Images = Annotated[str | None, typer.Option(help="Folder of the images that the table names; else the table's own.")]
Rows = Annotated[
    int | None,
    typer.Option(
        "--rows",
        "--chunk",
        min=1,
        max=100_000,
        help="Rows of a partition, which is asked and written as a whole. [default: 100 over HTTP, 2000 with --dask]",
    ),
]
Rate = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SERVICE=N",
        help="Calls a second to a public service; 0 for one of your own that needs no limit. Several for several.",
    ),
]
AcceptUnanswered = Annotated[
    bool,
    typer.Option(
        "--accept-unanswered",
        help="Write rows that got no answer for passing reasons too, with their problem; they are not asked again.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no summary.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]


def batch(
    table: Annotated[
        list[str],
        typer.Argument(
            metavar="TABLE",
            help="A table (CSV, ECSV, VOTable, FITS, Parquet), a HATS catalogue, a folder of images or Parquet files, "
            "a pattern in quotes, images, or model inputs as .npy. A path or a URL.",
            show_default=False,
        ),
    ],
    *,
    out: Annotated[
        str,
        typer.Option(
            "--output",
            "--out",
            "-o",
            help="Table to write (.csv, .ecsv, .vot, .fits or .parquet), or a folder for one Parquet file a partition.",
            show_default=False,
        ),
    ],
    url: Url = DEFAULT_URL,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="[tcp://HOST:PORT]",
            help="Measure with Dask instead of asking a gateway: on this machine, or with the workers of a scheduler.",
        ),
    ] = None,
    images: Images = None,
    imaging: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|TABLE",
            help="Cut the table's galaxies, by ra and dec, from these images of the sky: a folder or a pattern of FITS "
            "files, or a table with a column file. A path or a URL.",
        ),
    ] = None,
    bands: Annotated[
        str | None, typer.Option(metavar="g,r,i", help="Bands of --imaging that a picture is made of; else chosen.")
    ] = None,
    column: Column = None,
    keep_columns: Annotated[bool, typer.Option("--keep-columns", help="Carry the table's own columns along.")] = False,
    hats: Annotated[
        bool,
        typer.Option("--hats", help="Of a HATS catalogue: write the result as one too, which LSDB joins to the first."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask again what failed in an earlier run.")
    ] = False,
    allow_problems: Annotated[
        bool, typer.Option("--allow-problems", help="Exit with 0 also where rows have a final problem.")
    ] = False,
    survey: Survey = None,
    r: Annotated[
        float | None, typer.Option(min=0, max=0.99, help="Axis ratio of an edge-on disc, for the comparison; else 0.3.")
    ] = None,
    frame: Annotated[
        FrameChoice | None,
        typer.Option(help="What of an image is measured: a frame around a small galaxy (auto), or the whole of it."),
    ] = None,
    rows: Rows = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            min=1, max=256, help="Calls at the same time; with --dask rows of a partition. [default: 4, 64 with --dask]"
        ),
    ] = None,
    mix_releases: Annotated[
        bool, typer.Option("--mix-releases", help="Let answers of different model releases stand in one result.")
    ] = False,
    attempts: Annotated[int, typer.Option(min=1, help="Times that a row is asked whose problem may pass.")] = 3,
    patience: Annotated[
        float, typer.Option(min=0, help="Give up after so many seconds without a result and with failures only.")
    ] = 600.0,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="A call counts as lost when nothing has come for so many seconds.")
    ] = 180.0,
    serving: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT",
            envvar="INCLINET_SERVING",
            help="TensorFlow Serving for --dask, several times for several. On this machine the stand-in is started.",
        ),
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="Manifest of the model release, for --dask.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes of --dask on this machine.")] = processors(),
    threads: Annotated[int, typer.Option(min=1, help="Partitions that each works on at a time.")] = 2,
    memory: Annotated[str, typer.Option(help="Limit of each process.")] = "2GiB",
    dashboard: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where Dask's dashboard is; port 0 takes a free one.")
    ] = "127.0.0.1:8787",
    rate: Rate = None,
    accept_unanswered: AcceptUnanswered = False,
    serving_log: Annotated[Path, typer.Option(help="Where the stand-in's output goes.")] = Path(
        ".inclinet/batch-serving.log"
    ),
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Measure a whole table, or many images, and write a table of inclinations.

    However a run ends, the same command goes on from there.
    Exit codes: 0 all rows answered, 1 some have a problem instead,
    2 the command can't be carried out, 3 the gateway, scheduler, networks or disk
    were lost, 130 Ctrl-C.
    """

    def measure(console: Console, say: Callable[[str], None]) -> Summary:
        from batch.fetching import options
        from batch.request import BatchRequest

        asked = BatchRequest(
            what=tuple(table),
            out=out,
            images=images,
            choice=options.columns(column or []),
            partition_rows=rows,
            survey=survey,
            r=r,
            frame=frame,
            keep_columns=keep_columns,
            hats=hats,
            retry_failed=retry_failed,
            quiet=quiet,
            imaging=imaging,
            bands=tuple(one.strip() for one in (bands or "").split(",") if one.strip()),
        )
        if dask is None:
            from batch.http import pacing
            from batch.http import run as over_http

            http = over_http.Http(
                url=url,
                timeout_s=timeout,
                pace=pacing.Pace(concurrency or 4, patience_s=patience),
                attempts=attempts,
                any_release=mix_releases,
            )
            return over_http.measure(asked, http, console, say)
        from batch.dask import run as on_dask

        options.check_survey(survey)
        given = on_dask.OnDask(
            scheduler=None if dask == LOCAL else dask,
            serving=options.addresses(serving or []),
            workers={
                "n_workers": workers,
                "threads_per_worker": threads,
                # Dask restarts a worker near the limit, and repeats its partitions
                "memory_limit": memory,
                "dashboard_address": dashboard,
            },
            fetching=_fetching(rate or [], manifest, accept_unanswered=accept_unanswered),
            concurrency=concurrency or 64,
            log=serving_log,
        )
        return on_dask.measure(asked, given, console, say)

    summary = run_or_exit(measure, quiet=quiet)
    raise typer.Exit(print_summary(summary, out, quiet=quiet, as_json=as_json, allow_problems=allow_problems))


def fetch(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="A table with pgc, name, or ra and dec.")],
    *,
    out: Annotated[str, typer.Option("--output", "--out", "-o", help="Folder for the images and what they show.")],
    column: Column = None,
    survey: Survey = None,
    rows: Rows = None,
    rate: Rate = None,
    accept_unanswered: AcceptUnanswered = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Fetch the images of a table's galaxies from the public archives, no faster than these allow.

    However it ends, the same command goes on. The folder is what 'inclinet batch --dask' measures.
    """

    def work(console: Console, say: Callable[[str], None]) -> Summary:
        from batch.fetching import galaxies, options
        from batch.request import BatchRequest

        options.check_survey(survey)
        choice = options.columns(column or [])
        asked = BatchRequest(what=(table,), out=out, choice=choice, partition_rows=rows, survey=survey, quiet=quiet)
        fetching = _fetching(rate or [], None, accept_unanswered=accept_unanswered)
        return galaxies.fetch(asked, fetching, console, say)

    summary = run_or_exit(work, quiet=quiet)
    raise typer.Exit(print_summary(summary, out, quiet=quiet, as_json=as_json, allow_problems=False))


def _fetching(rate: list[str], manifest: Path | None, *, accept_unanswered: bool) -> Fetching:
    from batch.fetching import galaxies, options

    # --serving names the workers' servers; the setting holds only one
    given: dict[str, Any] = {"serving": "127.0.0.1:8500"} | ({"manifest": manifest} if manifest else {})
    return galaxies.Fetching(
        settings=configured.settings(given), rates_per_s=options.rates(rate), accept_unanswered=accept_unanswered
    )
