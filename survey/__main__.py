"""``python -m survey``: the inclinations of a whole catalogue."""

from __future__ import annotations

import json
import os
import signal
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from gateway.core import errors, proxies
from gateway.core.models import FrameChoice
from gateway.settings import Settings
from gateway.sky import SURVEYS
from gateway.tables.columns import ROLES, choice_of
from survey import drive, plan, storage
from survey.cluster import OwnNetworks, Workers, connected
from survey.errors import SurveyError, SurveyStopped
from survey.show import Show, duration
from survey.source import Form
from survey.task import UNFINISHED
from survey.turns import RATES_PER_S

if TYPE_CHECKING:
    from survey.drive import Outcome
    from survey.plan import Plan

INCOMPLETE, REFUSED, INTERRUPTED = 1, 2, 130

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
_err = Console(stderr=True)


@app.command(
    epilog="Run the same command again after any end: it does only what is missing. "
    "Exit status: 0 every row is written, 1 some are not, 2 refused as it was asked for, 130 interrupted.",
)
def survey(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CATALOGUE",
            help="Parquet, FITS, CSV or VOTable with pgc, name, ra and dec, or file; a folder of Parquet files or "
            "images; or model inputs as .npy. A path or a URL.",
        ),
    ],
    *,
    out: Annotated[str, typer.Option("--out", "-o", help="Folder of the result, a path or a URL; new or this run's.")],
    serving: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT",
            envvar="INCLINET_SERVING",
            help="TensorFlow Serving, several times for several. On this machine the stand-in is started unless given.",
        ),
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="Manifest of the model release.")] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="tcp://HOST:PORT", help="Use this Dask scheduler's workers instead of this machine."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = os.cpu_count() or 1,
    threads: Annotated[int, typer.Option(min=1, help="Partitions that each works on at a time.")] = 2,
    memory: Annotated[str, typer.Option(help="Limit of each process.")] = "2GiB",
    dashboard: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where Dask's dashboard is; port 0 takes a free one.")
    ] = "127.0.0.1:8787",
    rows: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, help=f"Rows of a partition. [default: {plan.PARTITION_ROWS}]"),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Rows of a partition under way at a time.")] = 64,
    survey_name: Annotated[
        str | None, typer.Option("--survey", help=f"Whose images: {', '.join(SURVEYS)}.", show_default="sdss")
    ] = None,
    r: Annotated[float, typer.Option(min=0, max=0.99, help="Axis ratio of an edge-on disc, for the comparison.")] = 0.3,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NAME",
            help=f"Which column is which, where its name does not say it: {', '.join(ROLES)}.",
        ),
    ] = None,
    frame: Annotated[
        FrameChoice,
        typer.Option(help="What of an image is measured: a frame around a small galaxy (auto), or the whole of it."),
    ] = FrameChoice.AUTO,
    rate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE=N",
            help="Calls a second to a service, all workers together; 0 for one of your own that needs no limit. "
            f"[default: {' '.join(f'{name}={value:g}' for name, value in RATES_PER_S.items())}]",
        ),
    ] = None,
    accept_unanswered: Annotated[
        bool,
        typer.Option(
            "--accept-unanswered",
            help="Write rows that got no answer for passing reasons too, with their problem; they are not asked again.",
        ),
    ] = False,
    serving_log: Annotated[Path, typer.Option(help="Where the stand-in's output goes.")] = Path(
        ".inclinet/survey-serving.log"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Measure the inclinations of a whole catalogue, on this machine or a Dask cluster."""
    # background jobs of a shell are started without the first
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        asked = plan.Asked(
            what=what,
            out=out,
            settings=_settings(manifest),
            partition_rows=rows,
            survey=_known(survey_name),
            r=r,
            rates_per_s=_rates(rate or []),
            concurrency=concurrency,
            accept_unanswered=accept_unanswered,
            choice=_choice(column or []),
            frame=frame,
        )
        made = plan.make(asked, serving=_addresses(serving or [], scheduler))
        if scheduler is None and made.job.form in {Form.PARQUET, Form.TABLE}:
            proxies.from_environment().check(made.job.sky.urls)
        for sentence in made.told:
            _say(sentence)
        local = Workers(workers, threads, memory, dashboard)
        outcome, seconds = _run(made, scheduler, local, serving_log, asked.settings) if made.missing else (None, 0.0)
    except (SurveyStopped, OSError) as error:
        _say(f"{error}")
        raise typer.Exit(INCOMPLETE) from None
    except (SurveyError, proxies.ProxyUnusable) as error:
        _say(f"{error}")
        raise typer.Exit(REFUSED) from None
    except KeyboardInterrupt:
        _err.print("Interrupted. What is written stays: run the same command again.")
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(_summarise(made, outcome, seconds, as_json=as_json))


def _run(made: Plan, scheduler: str | None, local: Workers, log: Path, settings: Settings) -> tuple[Outcome, float]:
    job = made.job
    with ExitStack() as opened:
        networks = None
        if not job.serving:
            _say("Starting the networks…")
            networks = opened.enter_context(OwnNetworks(settings.manifest, log, _say))
            job = replace(job, serving=(networks.address,))
        client = opened.enter_context(connected(scheduler, local))
        _say(f"{made.rows:,} rows in {len(made.partitions):,} partitions, {len(made.missing):,} of them to do.")
        _say(f"Dashboard {client.dashboard_link}")
        if job.form in {Form.PARQUET, Form.TABLE} and not settings.contact:
            _say("Set INCLINET_CONTACT, so that who runs a public service can write to you before blocking you.")
        show = opened.enter_context(Show(_err, total=made.rows, before=made.rows_done))
        watch = networks.watch if networks is not None else _nothing
        outcome = drive.run(client, job, made.missing, show=show, watch=watch)
        seconds = show.seconds
    if len(outcome.reports) == len(made.missing) and all(report.written for report in outcome.reports):
        storage.sweep(job.out)
    return outcome, seconds


def _summarise(made: Plan, outcome: Outcome | None, seconds: float, *, as_json: bool) -> int:
    """Say what there is now; return the exit status."""
    reports = outcome.reports if outcome else []
    failures = outcome.failures if outcome else {}
    written = [*made.done.values(), *(report.tally for report in reports if report.written)]
    given_up = [report for report in reports if not report.written]
    problems: dict[str, int] = {}
    for tally in written:
        for kind, count in tally.problems.items():
            problems[kind] = problems.get(kind, 0) + count
    measured = sum(report.tally.rows for report in reports)
    summary: dict[str, Any] = {
        "out": made.job.out,
        "rows": made.rows,
        "written": sum(tally.rows for tally in written),
        "answered": sum(tally.answered for tally in written),
        "problems": dict(sorted(problems.items(), key=lambda one: -one[1])),
        "unanswered": sum(report.unanswered for report in given_up),
        "failed_partitions": len(failures),
        "seconds": round(seconds, 3),
        "rows_per_s": round(measured / seconds, 3) if seconds else None,
    }
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        _print(summary)
    for report in given_up:
        _say(f"Partition {report.number} is not written: {report.unanswered:,} rows got no answer. {report.reason}")
    for number, why in sorted(failures.items()):
        _say(f"Partition {number} is not written: {why}")
    if given_up:
        _say(f"What they did answer is kept in {UNFINISHED}; run again later, or with --accept-unanswered.")
    return 0 if summary["written"] == made.rows else INCOMPLETE


def _print(summary: dict[str, Any]) -> None:
    out = Console(soft_wrap=True, highlight=False)
    took = f" in {duration(summary['seconds'])}, {summary['rows_per_s']:.1f}/s" if summary["rows_per_s"] else ""
    out.print(f"{summary['written']:,} of {summary['rows']:,} rows are in {summary['out']}{took}")
    for kind, count in summary["problems"].items():
        out.print(f"  {count:,} without an answer: {kind}")


def _settings(manifest: Path | None) -> Settings:
    # what the workers ask is given by --serving, which may name several
    given: dict[str, Any] = {"serving": "127.0.0.1:8500"} | ({"manifest": manifest} if manifest else {})
    try:
        return Settings(**given)
    except ValueError as error:
        raise SurveyError(f"The settings are wrong: {error}") from None


def _addresses(given: list[str], scheduler: str | None) -> tuple[str, ...]:
    addresses = tuple(one.strip() for several in given for one in several.split(",") if one.strip())
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise SurveyError(f"--serving {address} is not HOST:PORT.")
    if scheduler is not None and not addresses:
        raise SurveyError("Workers of a scheduler need --serving: the TensorFlow Serving that they can reach.")
    return addresses


def _known(name: str | None) -> str | None:
    if name is not None and name not in SURVEYS:
        raise SurveyError(f"There is no survey {name!r}; there are {', '.join(SURVEYS)}.")
    return name


def _choice(given: list[str]) -> dict[str, str]:
    try:
        return choice_of(given)
    except errors.BadTable as error:
        raise SurveyError(f"--column {error.detail}") from None


def _rates(given: list[str]) -> dict[str, float]:
    known = {name.lower(): name for name in RATES_PER_S}
    rates = {}
    for one in given:
        name, _, number = one.partition("=")
        try:
            rates[known[name.lower()]] = max(0.0, float(number))
        except (KeyError, ValueError):
            raise SurveyError(f"--rate {one} is not SERVICE=N with one of {', '.join(RATES_PER_S)}.") from None
    return rates


def _say(line: str) -> None:
    _err.print(line, highlight=False, soft_wrap=True, markup=False)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _nothing() -> None:
    pass


if __name__ == "__main__":
    app()
