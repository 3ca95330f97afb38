"""``inclinet key``: makes keys for a gateway that requires them."""

from __future__ import annotations

from typing import Annotated

import typer

keys = typer.Typer(no_args_is_help=True, help="Keys for a gateway that answers their holders only.")

_USAGE = 2


@keys.callback()
def _keys() -> None:
    """Make ``new`` a subcommand: typer turns the only command of a group into the group itself."""


@keys.command()
def new(
    name: Annotated[str, typer.Argument(help="Who will hold it; logs and the rate limit use the name.")],
) -> None:
    """Make a key: print it once, and the line for the file that INCLINET_API_KEYS_FILE names."""
    from gateway.api.keys import KeysError, make

    try:
        key, line = make(name)
    except KeysError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_USAGE) from None
    # only the line goes to standard output, so that it can be appended to the file without the key
    typer.echo(f"The key of {name}, shown this once:\n{key}\nThe line for the file of keys:", err=True)
    typer.echo(line)
