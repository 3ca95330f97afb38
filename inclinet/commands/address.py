"""Options of every command that calls a gateway, and the client for it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from inclinet.client import Inclinet
from inclinet.commands.terminal import out, stop
from inclinet.errors import NotAGateway, SampError, Unreachable
from inclinet.queries import DEFAULT_URL, URL_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DEFAULT_URL", "Samp", "Survey", "Url", "client", "send"]

TIMEOUT_S = 60.0
Url = Annotated[
    str,
    typer.Option("--url", "--gateway", envvar=URL_VARIABLE, help="Where the gateway is.", show_default=True),
]
Samp = Annotated[bool, typer.Option("--samp", help="Send the result to TOPCAT, Aladin and the like.")]
Survey = Annotated[str | None, typer.Option(help="Survey to take images from, such as sdss or panstarrs.")]


@contextmanager
def client(url: str) -> Iterator[Inclinet]:
    """Open a client; without a gateway, the command ends with a message."""
    try:
        with Inclinet(url, timeout=TIMEOUT_S, pictures=False) as opened:
            yield opened
    except Unreachable as error:
        raise stop(f"{error.detail} Start one: inclinet up.") from None
    except NotAGateway as error:
        raise stop(error.detail) from None


def send(table: Any) -> None:
    """Send a table by SAMP; ends the command where no program receives it."""
    from inclinet.samp import broadcast

    try:
        out.print(f"Sent to {', '.join(broadcast(table))}.", highlight=False)
    except SampError as error:
        raise stop(error.detail) from None
