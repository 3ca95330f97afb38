"""What the commands share: where things lie, how they speak, and how they give up."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

# TensorFlow prints what it found of the processor unless it is told before its import not to.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SHARED = Path("../shared/galaxies")
MODEL_REPO = Path("model_repo")
_SAY_EVERY = 50

console = Console()

Seed = Annotated[int, typer.Option(help="everything random follows from it")]
Workers = Annotated[int, typer.Option(help="processes that simulate; the result is the same for any number")]


def say(what: str, metrics: dict[str, float]) -> None:
    """Print where a training or a simulation is, now and then."""
    step = int(metrics["step"])
    if step % _SAY_EVERY:
        return
    said = f"{what}: step {step}"
    if "recent_loss" in metrics:
        minutes, reading = metrics["seconds_left"] / 60, metrics["reading_share"]
        said += f", loss {metrics['recent_loss']:.4f}, {minutes:.1f} min left, reading {reading:.1%} of the time"
    console.print(said, highlight=False)


def give_up(sentence: str) -> NoReturn:
    """Say on the standard error why a command can't go on, and end with status 1."""
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write JSON in one step, numbers that are none as null: a reader of the standard knows no NaN."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(_finite(content), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
