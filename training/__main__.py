"""``python -m training``: simulate galaxies, fetch real ones, train networks, make a model release, measure one."""

from __future__ import annotations

import typer

from training.commands import evaluate, figures, real, release

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
for command in (
    release.simulate,
    release.train,
    release.release,
    evaluate.evaluate,
    figures.figures,
    figures.curves,
    real.labels,
    real.download,
):
    app.command()(command)


if __name__ == "__main__":
    app()
