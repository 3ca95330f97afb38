"""Where the gateway is, and how its door opens; what every command that asks one shares."""

from __future__ import annotations

import os
from typing import Annotated

import typer

DEFAULT_URL = "http://127.0.0.1:8080"
KEY_VARIABLE = "INCLINET_API_KEY"
Url = Annotated[
    str,
    typer.Option("--url", "--gateway", envvar="INCLINET_URL", help="Where the gateway is.", show_default=True),
]


def credentials() -> dict[str, str]:
    """Return the headers that show the key in the environment, if there is one; a command line shows it to anyone."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    return {"Authorization": f"Bearer {key}"} if key else {}
