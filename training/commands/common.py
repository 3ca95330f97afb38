"""Options, messages and errors that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from gateway.core.manifest import read_manifest

if TYPE_CHECKING:
    from gateway.core.manifest import Manifest

# set before the import of TensorFlow, which otherwise prints the features of the processor
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SHARED = Path("../shared/galaxies")
MODEL_REPO = Path("model_repo")
_SAY_EVERY = 50

console = Console()

Seed = Annotated[int, typer.Option(help="everything random follows from it")]
Workers = Annotated[int, typer.Option(help="processes that simulate; the result is the same for any number")]


def say(what: str, metrics: dict[str, float]) -> None:
    """Print the progress of a training or a simulation from time to time."""
    step = int(metrics["step"])
    if step % _SAY_EVERY:
        return
    said = f"{what}: step {step}"
    if "recent_loss" in metrics:
        minutes, reading = metrics["seconds_left"] / 60, metrics["reading_share"]
        said += f", loss {metrics['recent_loss']:.4f}, {minutes:.1f} min left, reading {reading:.1%} of the time"
    console.print(said, highlight=False)


def read_release(model_repo: Path) -> Manifest:
    """Return the manifest of the release in a repository; end the command where there is none."""
    try:
        return read_manifest(model_repo / "manifest.json")
    except OSError:
        give_up(f"There is no release in {model_repo}: its manifest.json can't be read.")
    except ValidationError as error:
        give_up(f"{model_repo / 'manifest.json'} is no manifest: {error.error_count()} things in it are wrong.")


def give_up(sentence: str) -> NoReturn:
    """Print to standard error why a command can't continue, and exit with status 1."""
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
