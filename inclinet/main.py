"""The command line: ``inclinet up`` starts the service, ``inclinet image`` and its sisters ask one."""

from __future__ import annotations

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.core import proxies
from gateway.core.models import FrameChoice  # noqa: TC001 - typer reads the annotations
from inclinet.commands.address import DEFAULT_URL, Url, credentials
from inclinet.commands.batch import DaskCommand, batch, fetch
from inclinet.commands.keys import keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.settings import Settings

app = typer.Typer(
    name="inclinet",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The spatial inclination of spiral galaxies: 0 deg is face-on, 90 deg edge-on.",
    epilog="Start the service with 'inclinet up', then ask it: 'inclinet image galaxy.jpg'.",
)
catalog = typer.Typer(no_args_is_help=True, help="The local catalogue of galaxies.")
app.add_typer(catalog, name="catalog")
app.add_typer(keys, name="key")
app.command(cls=DaskCommand)(batch)
app.command()(fetch)
_out, _err = Console(), Console(stderr=True)

FAILED, USAGE = 1, 2
AT_ONCE = 4
TIMEOUT_S = 60.0


class LogLevel(StrEnum):
    """How much the gateway logs."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


Json = Annotated[bool, typer.Option("--json", help="Print the gateway's JSON instead of a table.")]


@app.command()
def up(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8080,
    serving: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Use this TensorFlow Serving instead of starting the stand-in."),
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="Manifest of the model release.")] = None,
    log_level: Annotated[LogLevel, typer.Option(help="What the gateway logs, as JSON.")] = LogLevel.WARNING,
    serving_log: Annotated[Path, typer.Option(help="Where the stand-in's output goes.")] = Path(
        ".inclinet/serving.log"
    ),
) -> None:
    """Start the networks and the gateway on this machine, and run until Ctrl-C."""
    from inclinet import local  # noqa: PLC0415 - asking a gateway needs none of what running one does
    from inclinet import up as service  # noqa: PLC0415 - as above

    changed: dict[str, Any] = {"log_level": str(log_level)}
    if serving is not None:
        changed["serving"] = serving
    if manifest is not None:
        changed["manifest"] = manifest
    if "INCLINET_CACHE_DIR" not in os.environ:
        changed["cache_dir"] = serving_log.parent / "cache"
    try:
        service.up(
            service.Start(
                settings=_settings(changed),
                host=host,
                port=port,
                own_serving=serving is None and "INCLINET_SERVING" not in os.environ,
                log=serving_log,
                say=lambda line: _out.print(line, highlight=False, soft_wrap=True),
            ),
        )
    except local.StartError as error:
        raise _stop(str(error)) from None


@app.command()
def gateway(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "0.0.0.0",  # noqa: S104 - a container's face
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8080,
) -> None:
    """Run the gateway alone, as its container does; the environment INCLINET_* holds its settings."""
    from inclinet import local  # noqa: PLC0415 - as above

    try:
        local.run_gateway(_settings({}), host=host, port=port)
    except local.StartError as error:
        raise _stop(str(error)) from None


def _settings(changed: dict[str, Any]) -> Settings:
    from pydantic import ValidationError  # noqa: PLC0415 - as above

    from gateway.settings import Settings  # noqa: PLC0415 - as above

    try:
        return Settings(**changed)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise _stop(f"The settings are wrong: {said}") from None


@app.command()
def image(
    files: Annotated[list[Path], typer.Argument(help="Images: JPEG, PNG, GIF, TIFF, WebP or FITS.")],
    *,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
    r: Annotated[float, typer.Option(min=0, max=0.99, help="Axis ratio of an edge-on disc, for the comparison.")] = 0.3,
    frame: Annotated[
        FrameChoice | None,
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
) -> None:
    """Measure the inclination of the galaxy in each image."""
    given = {"r": r, "frame": frame, "x": x, "y": y, "side": side}
    params = {name: value for name, value in given.items() if value is not None}
    with (
        _client(url) as client,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):

        def measure(path: Path) -> dict[str, Any]:
            try:
                data = path.read_bytes()
            except OSError as error:
                return {"detail": f"can't be read: {error.strerror}."}
            return _answer(client, "POST", "/api/file", params=params, files={"file": (path.name, data)})

        answers = list(pool.map(measure, files))
    _show([str(path) for path in files], answers, as_json=as_json)


Fov = Annotated[float | None, typer.Option(min=0.01, help="Side of the field, arcmin; else from the galaxy's size.")]
Survey = Annotated[str | None, typer.Option(help="Survey to take the image from, such as sdss or panstarrs.")]


@app.command()
def pgc(
    number: Annotated[int, typer.Argument(min=1, help="Principal Galaxies Catalogue number.")],
    *,
    fov: Fov = None,
    survey: Survey = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Measure the galaxy of a PGC number, on the survey's image of it."""
    _ask(url, f"/api/pgc/{number}", f"PGC {number}", {"fov": fov, "survey": survey}, as_json=as_json)


@app.command()
def name(
    galaxy: Annotated[str, typer.Argument(help="Its name, such as 'NGC 7331' or M31.")],
    *,
    fov: Fov = None,
    survey: Survey = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Measure a galaxy by its name, on the survey's image of it."""
    _ask(url, f"/api/objname/{quote(galaxy)}", galaxy, {"fov": fov, "survey": survey}, as_json=as_json)


@app.command(context_settings={"ignore_unknown_options": True})  # a southern declination starts with a minus
def at(
    ra: Annotated[str, typer.Argument(help="Right ascension: degrees, or hours as 00:42:44.3.")],
    dec: Annotated[str, typer.Argument(help="Declination: degrees, or as +41:16:09.")],
    *,
    fov: Fov = None,
    pa: Annotated[float | None, typer.Option(help="Position angle of the major axis, deg east of north.")] = None,
    survey: Survey = None,
    url: Url = DEFAULT_URL,
    as_json: Json = False,
) -> None:
    """Measure the galaxy at a position, on the survey's image of it."""
    asked = {"ra": ra, "dec": dec, "fov": fov, "pa": pa, "survey": survey}
    _ask(url, "/api/coordinates", f"{ra} {dec}", asked, as_json=as_json)


def _ask(url: str, path: str, key: str, asked: dict[str, Any], *, as_json: bool) -> None:
    params = {name: value for name, value in asked.items() if value is not None}
    with _client(url) as client:
        _show([key], [_answer(client, "GET", path, params=params)], as_json=as_json)


@catalog.command()
def download(
    path: Annotated[Path, typer.Argument(help="File to write, ending in .csv.")],
    *,
    min_d25: Annotated[float, typer.Option(min=0, help="Leave out galaxies smaller than this, arcmin.")] = 0.3,
) -> None:
    """Fetch HyperLEDA's catalogue of galaxies from VizieR (VII/237) for use as INCLINET_CATALOG."""
    from gateway.core.errors import InclinetError  # noqa: PLC0415 - asking a gateway needs none of this
    from gateway.sky.download import download as fetch  # noqa: PLC0415 - as above

    settings = _settings({})
    try:
        with _err.status("Asking VizieR…") as status:
            rows = asyncio.run(
                fetch(
                    path,
                    urls=settings.sky().vizier_urls,
                    min_d25_arcmin=min_d25,
                    contact=settings.contact,
                    progress=lambda count: status.update(f"{count:,} galaxies…"),
                ),
            )
    except (InclinetError, OSError) as error:
        raise _stop(f"The catalogue could not be fetched: {error}") from None
    _out.print(f"{rows:,} galaxies written to {path}. Use it: INCLINET_CATALOG={path} inclinet up", soft_wrap=True)


def _client(url: str) -> httpx.Client:
    try:
        return proxies.client(url, headers=credentials(), timeout=TIMEOUT_S)
    except proxies.ProxyUnusable as error:
        raise _stop(str(error)) from None
    except httpx.InvalidURL as error:
        raise _stop(f"{url} is no address of a gateway: {error}.") from None


def _answer(client: httpx.Client, method: str, path: str, **request: Any) -> dict[str, Any]:
    """Ask the gateway; a problem comes back as the dict that the gateway sent, or one that says what went wrong."""
    try:
        response = client.request(method, path, **request)
    except httpx.ConnectError:
        raise _stop(f"No gateway answers at {client.base_url}. Start one: inclinet up.") from None
    except httpx.UnsupportedProtocol as error:
        raise _stop(f"{client.base_url} is no address of a gateway: {error}") from None
    except httpx.HTTPError as error:
        return {"detail": f"The gateway did not answer: {error or type(error).__name__}."}
    try:
        answer: dict[str, Any] = response.json()
    except ValueError:
        return {"detail": f"The gateway answered {response.status_code} with something that is not JSON."}
    return answer


def _show(keys: Sequence[str], answers: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Print answers as a table, or as JSON (one object, or a list of them); exit with 1 if any is a problem."""
    if as_json:
        _out.print_json(json.dumps(answers[0] if len(answers) == 1 else list(answers)))
    else:
        _table(keys, answers)
    if any("inclination" not in answer for answer in answers):
        raise typer.Exit(FAILED)


def _table(keys: Sequence[str], answers: Sequence[dict[str, Any]]) -> None:
    """Print one line of numbers a target, and below them what is to be said in words."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("target", overflow="fold")
    for title in ("inclination", "68 %", "stdev", "rejection", "ellipticity"):
        table.add_column(title, justify="right", no_wrap=True)
    remarks = []
    for key, answer in zip(keys, answers, strict=True):
        if "inclination" not in answer:
            nearest = answer.get("suggestions") or []
            said = str(answer.get("detail", "failed")) + (f" Perhaps {', '.join(nearest[:3])}?" if nearest else "")
            remarks.append(f"[red]{escape(key)}: {escape(said)}[/red]")
            table.add_row(escape(key), "[red]failed[/red]")
            continue
        values, fit = answer["inclination"], answer["ellipticity"]
        rejection = answer["rejection"]["median"]
        low, high = values["interval68_deg"]["low"], values["interval68_deg"]["high"]
        remarks += [f"{escape(key)}: {escape(warning)}" for warning in answer["warnings"]]
        table.add_row(
            escape(key),
            f"[bold]{values['median_deg']:.1f}°[/bold]",
            f"{low:.1f}…{high:.1f}",
            f"{values['stdev_deg']:.1f}",
            "" if rejection is None else f"{rejection:.2f}",
            f"{fit['inclination_deg']:.1f}°" if fit else "",
        )
    _out.print(table)
    for remark in remarks:
        _out.print(remark, highlight=False)


def _stop(sentence: str) -> typer.Exit:
    _err.print(sentence, style="red", highlight=False, soft_wrap=True)
    return typer.Exit(USAGE)


def main() -> None:
    """Run the command line."""
    app()
