"""The commands that run the service and measure whole catalogues; ``inclinet`` finds them if they are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line; an entry point of the group ``inclinet.commands``."""
    from inclinet_service.commands import service
    from inclinet_service.commands.batch import DaskCommand, batch, fetch
    from inclinet_service.commands.catalog import catalog
    from inclinet_service.commands.keys import keys
    from inclinet_service.commands.zoo import zoo

    app.command()(service.up)
    app.command()(service.gateway)
    app.command(cls=DaskCommand)(batch)
    app.command()(fetch)
    app.add_typer(catalog, name="catalog")
    app.add_typer(keys, name="key")
    app.add_typer(zoo, name="zoo")
