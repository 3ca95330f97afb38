"""The command line: ``inclinet up`` starts the service, ``inclinet image`` and its sisters ask one."""

from __future__ import annotations

import typer

from inclinet.commands import ask, service
from inclinet.commands.batch import DaskCommand, batch, fetch
from inclinet.commands.catalog import catalog
from inclinet.commands.keys import keys
from inclinet.commands.zoo import zoo

app = typer.Typer(
    name="inclinet",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="The spatial inclination of spiral galaxies: 0 deg is face-on, 90 deg edge-on.",
    epilog="Start the service with 'inclinet up', then ask it: 'inclinet image galaxy.jpg'.",
)
app.command()(service.up)
app.command()(service.gateway)
app.command()(ask.image)
app.command()(ask.pgc)
app.command()(ask.name)
# a southern declination starts with a minus
app.command(context_settings={"ignore_unknown_options": True})(ask.at)
app.command(cls=DaskCommand)(batch)
app.command()(fetch)
app.add_typer(catalog, name="catalog")
app.add_typer(keys, name="key")
app.add_typer(zoo, name="zoo")


def main() -> None:
    """Run the command line."""
    app()
