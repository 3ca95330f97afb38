"""``inclinet image``, ``pgc``, ``name`` and ``at``: a gateway is asked about one galaxy, or a few images."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.markup import escape
from rich.table import Table

from gateway.core import proxies
from gateway.core.models import FrameChoice  # noqa: TC001 - typer reads the annotations
from inclinet.commands.address import DEFAULT_URL, Url, credentials
from inclinet.commands.common import FAILED, out, stop

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_ONCE = 4
TIMEOUT_S = 60.0

Json = Annotated[bool, typer.Option("--json", help="Print the gateway's JSON instead of a table.")]


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


def _client(url: str) -> httpx.Client:
    try:
        return proxies.client(url, headers=credentials(), timeout=TIMEOUT_S)
    except proxies.ProxyUnusable as error:
        raise stop(str(error)) from None
    except httpx.InvalidURL as error:
        raise stop(f"{url} is no address of a gateway: {error}.") from None


def _answer(client: httpx.Client, method: str, path: str, **request: Any) -> dict[str, Any]:
    """Ask the gateway; a problem comes back as the dict that the gateway sent, or one that says what went wrong."""
    try:
        response = client.request(method, path, **request)
    except httpx.ConnectError:
        raise stop(f"No gateway answers at {client.base_url}. Start one: inclinet up.") from None
    except httpx.UnsupportedProtocol as error:
        raise stop(f"{client.base_url} is no address of a gateway: {error}") from None
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
        out.print_json(json.dumps(answers[0] if len(answers) == 1 else list(answers)))
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
    out.print(table)
    for remark in remarks:
        out.print(remark, highlight=False)
