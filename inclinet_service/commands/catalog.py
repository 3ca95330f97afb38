"""``inclinet catalog``: the local catalogue of galaxies."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from gateway.core import interrupts
from inclinet.commands import terminal
from inclinet_service.commands import configured
from inclinet_service.commands.running import interruptible

catalog = typer.Typer(no_args_is_help=True, help="The local catalogue of galaxies.")


@catalog.command()
def download(
    path: Annotated[Path, typer.Argument(help="File to write, ending in .csv.")],
    *,
    min_d25: Annotated[float, typer.Option(min=0, help="Leave out galaxies smaller than this, arcmin.")] = 0.3,
) -> None:
    """Fetch HyperLEDA's catalogue of galaxies from VizieR (VII/237) for use as INCLINET_CATALOG."""
    from gateway.core.errors import GatewayError
    from gateway.sky.resolvers.download import download as fetch

    settings = configured.settings({})

    def work() -> int:
        with terminal.err.status("Asking VizieR…") as status:
            return interrupts.run(
                fetch,
                path,
                urls=settings.sky().vizier_urls,
                min_d25_arcmin=min_d25,
                contact=settings.contact,
                progress=lambda count: status.update(f"{count:,} galaxies…"),
            )

    try:
        rows = interruptible(work, terminal.err, f"{path} is not written.")
    except (GatewayError, OSError) as error:
        raise terminal.stop(f"The catalogue could not be fetched: {error}") from None
    terminal.out.print(
        f"{rows:,} galaxies written to {path}. Use it: INCLINET_CATALOG={path} inclinet up", soft_wrap=True
    )
