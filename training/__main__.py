"""``python -m training``: simulate galaxies, fetch real ones, train networks, make a model release, measure one."""

from __future__ import annotations

import typer

from training.commands import drawing, making, measuring, real

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
for command in (
    making.simulate,
    making.train,
    making.release,
    measuring.evaluate,
    drawing.figures,
    drawing.curves,
    real.labels,
    real.download,
):
    app.command()(command)


if __name__ == "__main__":
    app()
