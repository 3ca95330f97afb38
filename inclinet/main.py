"""The command line: ``inclinet image`` and similar commands call a gateway; an installed service adds more."""

from __future__ import annotations

from importlib.metadata import entry_points

import typer

from inclinet.commands import ask, table
from inclinet.commands.terminal import stop
from inclinet.local import COMMANDS

OF_THE_SERVICE = {
    "up": "serving",
    "gateway": "",
    "batch": "batch",
    "fetch": "batch",
    "catalog": "",
    "key": "",
    "zoo": "zoo",
}
"""Commands of ``inclinet-service``, and the extra that each needs."""

_installed = entry_points(group=COMMANDS)
app = typer.Typer(
    name="inclinet",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The spatial inclination of spiral galaxies: 0 deg is face-on, 90 deg edge-on.",
    epilog="Start the service with 'inclinet up', then ask it: 'inclinet image galaxy.jpg'."
    if _installed
    else "These ask a gateway that runs elsewhere (--url, INCLINET_URL). To start one: pip install 'inclinet-service'.",
)
app.command()(ask.image)
app.command()(ask.pgc)
app.command()(ask.name)
# a southern declination starts with a minus
app.command(context_settings={"ignore_unknown_options": True})(ask.at)
app.command()(table.table)


def _missing(command: str, extra: str) -> None:
    """Add a command that tells how to install the missing one."""
    wanted = f"'inclinet-service[{extra}]'" if extra else "inclinet-service"

    @app.command(
        command,
        hidden=True,
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def say() -> None:
        raise stop(f"inclinet {command} comes with the service, which is not installed here: pip install {wanted}.")


for _entry in _installed:
    _entry.load()(app)
if not _installed:
    for _command, _extra in OF_THE_SERVICE.items():
        _missing(_command, _extra)


def main() -> None:
    """Run the command line."""
    app()
