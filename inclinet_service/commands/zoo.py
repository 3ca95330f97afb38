"""``inclinet zoo``: labels by people, on this machine or in a container."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from inclinet.commands import terminal

zoo = typer.Typer(no_args_is_help=True, help="Labels by people: a web page on which galaxies are measured.")

MODERATOR = "moderator"


@zoo.callback()
def _zoo() -> None:
    """Make ``up`` a subcommand: typer turns the only command of a group into the group itself."""


@zoo.command()
def up(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8090,
    folder: Annotated[
        Path, typer.Option(help="Where a moderator's key is kept, where INCLINET_ZOO_API_KEYS_FILE names no file.")
    ] = Path(".inclinet/zoo"),
) -> None:
    """Start the zoo and run until Ctrl-C; the environment INCLINET_ZOO_* holds its settings."""
    # the zoo's packages are only needed here
    try:
        from pydantic import ValidationError

        from inclinet_service import zoo as service
        from inclinet_service.local import StartError
        from zoo.settings import ZooSettings
    except ImportError as error:
        raise terminal.stop(
            f"For the zoo {error.name} has to be installed: pip install 'inclinet-service[zoo]'."
        ) from None

    def say(line: str) -> None:
        terminal.out.print(line, highlight=False, soft_wrap=True)

    try:
        settings = ZooSettings()
        if settings.api_keys_file is None:
            settings = ZooSettings(api_keys_file=service.moderators_key(folder, MODERATOR, say))
        with suppress(KeyboardInterrupt):
            service.up(settings, host=host, port=port, say=say)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise terminal.stop(f"The settings are wrong: {said}") from None
    except StartError as error:
        raise terminal.stop(str(error)) from None
