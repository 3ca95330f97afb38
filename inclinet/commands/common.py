"""What several commands share: the terminal, the exit codes and the settings of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from gateway.settings import Settings

FAILED, USAGE = 1, 2
out, err = Console(), Console(stderr=True)


def stop(sentence: str) -> typer.Exit:
    """Say why a command can't be carried out, and return what ends it."""
    err.print(sentence, style="red", highlight=False, soft_wrap=True)
    return typer.Exit(USAGE)


def settings(changed: dict[str, Any]) -> Settings:
    """Return the settings of the environment with some changed; ends the command where they are wrong."""
    from pydantic import ValidationError  # noqa: PLC0415 - asking a gateway needs none of this

    from gateway.settings import Settings  # noqa: PLC0415 - as above

    try:
        return Settings(**changed)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise stop(f"The settings are wrong: {said}") from None
