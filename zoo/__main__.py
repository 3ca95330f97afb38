"""``python -m zoo``: commands for an operator of the zoo, beside its server."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="What an operator of the zoo runs.")


@app.callback()
def _zoo() -> None:
    """Make ``standards`` a subcommand: typer turns the only command of a group into the group itself."""


@app.command()
def standards(
    out: Annotated[Path, typer.Argument(help="The archive to write; INCLINET_ZOO_STANDARDS names it to the server.")],
    seed: Annotated[int, typer.Option(help="Other seeds give other galaxies.")] = 1,
) -> None:
    """Draw standards of exactly known inclination; needs inclinet-service[serving,training], and a few minutes."""
    # takes seconds to import, which no other command should wait for
    from zoo.standards.archive import write_archive
    from zoo.standards.draw import standards as drawn

    def told(done: int, of: int) -> None:
        typer.echo(f"\r{done} of {of}", nl=done == of, err=True)

    write_archive(out, drawn(seed, progress=told))


if __name__ == "__main__":
    app()
