"""``inclinet image``, ``pgc``, ``name`` and ``at``: a gateway is asked about one galaxy, or a few images."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from inclinet.answers import words
from inclinet.answers.answer import tabulate
from inclinet.commands.address import DEFAULT_URL, Samp, Survey, Url, client, send
from inclinet.commands.terminal import FAILED, out
from inclinet.errors import InclinetError, NotAGateway, Unreachable
from inclinet.http import questions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inclinet.answers.answer import Answer
    from inclinet.client import Inclinet
    from inclinet.http.questions import Question

AT_ONCE = 4
_OF_ALL = (Unreachable, NotAGateway)
"""Errors that end the command, because every question would fail with them."""


class FrameOption(StrEnum):
    """Part of an image that is measured."""

    AUTO = "auto"
    WHOLE = "whole"


Fov = Annotated[float | None, typer.Option(min=0.01, help="Side of the field, arcmin; else from the galaxy's size.")]
Pa = Annotated[
    float | None, typer.Option(help="Position angle of the major axis, deg east of north; else the catalogue's.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the gateway's JSON instead of a table.")]


def image(
    files: Annotated[list[Path], typer.Argument(help="Images: JPEG, PNG, GIF, TIFF, WebP or FITS.")],
    *,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
    samp: Samp = False,
    r: Annotated[float, typer.Option(min=0, max=0.99, help="Axis ratio of an edge-on disc, for the comparison.")] = 0.3,
    frame: Annotated[
        FrameOption | None,
        typer.Option(
            help="What is measured: a frame around a small galaxy (auto), or the whole image.", show_default="auto"
        ),
    ] = None,
    x: Annotated[
        float | None, typer.Option(min=0, help="Where the galaxy is: pixels from the left. Needs --y.")
    ] = None,
    y: Annotated[float | None, typer.Option(min=0, help="Pixels from the top. Needs --x.")] = None,
    side: Annotated[
        float | None,
        typer.Option(min=1, help="Side of the square around that place, pixels; else from the galaxy's size."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="The galaxy in FITS images with a WCS: its position or its name. All files are its bands and tiles."
        ),
    ] = None,
    fov: Fov = None,
    pa: Pa = None,
    bands: Annotated[
        str | None, typer.Option(help="Bands of the files in their order, such as g,r,i; else from the headers.")
    ] = None,
) -> None:
    """Measure the inclination of the galaxy in each image, or of the one at a place in images of the sky."""
    place: dict[str, Any] = {"at": at, "fov": fov, "pa": pa, "bands": bands.split(",") if bands else None}
    with client(url) as asked, ThreadPoolExecutor(AT_ONCE) as pool:

        def measure(paths: list[Path]) -> Answer | InclinetError:
            try:
                question = questions.by_image(paths, frame=frame, x=x, y=y, side=side, r=r, **place)
            except OSError as error:
                return InclinetError(f"{error.filename} can't be read: {error.strerror}.")
            return _asked(asked, question)

        pictures = [[path] for path in files] if at is None else [files]
        results = list(pool.map(measure, pictures))
    _show([str(path) for path in files] if at is None else [at], results, as_json=as_json, samp=samp)


def pgc(
    number: Annotated[int, typer.Argument(min=1, help="Principal Galaxies Catalogue number.")],
    *,
    fov: Fov = None,
    survey: Survey = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
    samp: Samp = False,
) -> None:
    """Measure the galaxy of a PGC number, on the survey's image of it."""
    _ask(url, f"PGC {number}", questions.by_pgc(number, fov=fov, survey=survey), as_json=as_json, samp=samp)


def name(
    galaxy: Annotated[str, typer.Argument(help="Its name, such as 'NGC 7331' or M31.")],
    *,
    fov: Fov = None,
    survey: Survey = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
    samp: Samp = False,
) -> None:
    """Measure a galaxy by its name, on the survey's image of it."""
    _ask(url, galaxy, questions.by_name(galaxy, fov=fov, survey=survey), as_json=as_json, samp=samp)


def at(
    ra: Annotated[str, typer.Argument(help="Right ascension: degrees, or hours as 00:42:44.3.")],
    dec: Annotated[str, typer.Argument(help="Declination: degrees, or as +41:16:09.")],
    *,
    fov: Fov = None,
    pa: Pa = None,
    survey: Survey = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
    samp: Samp = False,
) -> None:
    """Measure the galaxy at a position, on the survey's image of it."""
    question = questions.by_text(ra, dec, fov=fov, pa=pa, survey=survey)
    _ask(url, f"{ra} {dec}", question, as_json=as_json, samp=samp)


def _ask(url: str, key: str, question: Question, *, as_json: bool, samp: bool) -> None:
    with client(url) as asked:
        result = _asked(asked, question)
    _show([key], [result], as_json=as_json, samp=samp)


def _asked(asked: Inclinet, question: Question) -> Answer | InclinetError:
    """Ask a question; return the answer or the problem, but raise an error that every question would meet."""
    try:
        return asked.ask(question)
    except _OF_ALL:
        raise
    except InclinetError as error:
        return error


def _show(keys: Sequence[str], results: Sequence[Answer | InclinetError], *, as_json: bool, samp: bool) -> None:
    """Print results as a table, or as JSON (one object, or a list of them); exit with 1 if any is a problem."""
    answers = [one for one in results if not isinstance(one, InclinetError)]
    if as_json:
        said = [one.problem if isinstance(one, InclinetError) else one.json for one in results]
        out.print_json(json.dumps(said[0] if len(said) == 1 else said))
    else:
        _table(keys, results)
    if samp and answers:
        send(tabulate(answers))
    if len(answers) < len(results):
        raise typer.Exit(FAILED)


def _table(keys: Sequence[str], results: Sequence[Answer | InclinetError]) -> None:
    """Print one line of numbers per target, and the problems and warnings below them."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("target", overflow="fold")
    for title in ("inclination", "68 %", "95 %", "stdev", "rejection", "ellipticity"):
        table.add_column(title, justify="right", no_wrap=True)
    remarks = []
    for key, result in zip(keys, results, strict=True):
        if isinstance(result, InclinetError):
            nearest = result.extra.get("suggestions") or []
            said = result.detail + (f" Perhaps {', '.join(nearest[:3])}?" if nearest else "")
            remarks.append(f"[red]{escape(key)}: {escape(said)}[/red]")
            table.add_row(escape(key), "[red]failed[/red]")
            continue
        values: dict[str, Any] = result.row()
        inclination, rejection = result.json["inclination"], result.json["rejection"]
        remarks += [f"{escape(key)}: {escape(warning)}" for warning in result.warnings]
        table.add_row(
            escape(key),
            f"[bold]{words.median(inclination, '°')}[/bold]",
            words.interval(inclination, 68, "…"),
            words.below(inclination, "°") or words.interval(inclination, 95, "…"),
            f"{values['stdev_deg']:.1f}",
            "" if values["rejection"] is None else f"{values['rejection']:.2f} {words.reason(rejection)}".rstrip(),
            "" if (fitted := values["ellipticity_inclination_deg"]) is None else f"{fitted:.1f}°",
        )
    out.print(table)
    for remark in remarks:
        out.print(remark, highlight=False)
