"""The settings of the gateway for the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inclinet.commands.terminal import stop

if TYPE_CHECKING:
    from gateway.settings import Settings


def settings(changed: dict[str, Any]) -> Settings:
    """Return the environment's settings with some changed; ends the command where they are invalid."""
    from pydantic import ValidationError

    from gateway.settings import Settings

    try:
        return Settings(**changed)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise stop(f"The settings are wrong: {said}") from None
