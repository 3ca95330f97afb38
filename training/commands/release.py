"""The commands ``simulate``, ``train`` and ``release``."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from training.commands.common import MODEL_REPO, SHARED, Seed, Workers, console, give_up, read_release, say


def simulate(
    out: Annotated[Path, typer.Option(help="folder for images.npy and truth.csv")],
    count: Annotated[int, typer.Option(help="how many galaxies", min=1)] = 1000,
    seed: Seed = 1,
    workers: Workers = 1,
) -> None:
    """Simulate galaxies of known inclination, with a truth table."""
    from training.simulation import sample

    made = sample.simulate(seed=seed, count=count, workers=workers, progress=lambda n: say("simulate", {"step": n}))
    sample.save(made, out)
    console.print(f"{count} galaxies in {out}")


def train(
    simulated: Annotated[Path, typer.Option(help="folder that `simulate` wrote")],
    out: Annotated[Path, typer.Option(help="folder for the snapshot and the metrics")],
    steps: Annotated[int, typer.Option(min=1)] = 1800,
    architecture: Annotated[Literal["vgg4", "vgg7", "vgg9"], typer.Option()] = "vgg7",
    seed: Seed = 1,
    resume: Annotated[bool, typer.Option("--resume", help="go on from the snapshot in --out")] = False,
) -> None:
    """Train one network on simulated galaxies alone."""
    from training.networks.architectures import ARCHITECTURES
    from training.release import recipe
    from training.simulation import sample

    how = replace(recipe.Recipe(), seed=seed, pretraining_steps=steps)
    recipe.pretrain(
        how,
        sample.load(simulated),
        out,
        architecture=ARCHITECTURES[architecture],
        resume=resume,
        progress=lambda m: say("train", m),
    )


def release(
    name: Annotated[str, typer.Option(help="of the release, such as 2025.1")] = "1",
    version: Annotated[
        int | None, typer.Option(help="of every model; the next after those of the release in place", min=1)
    ] = None,
    seed: Seed = 1,
    galaxies: Annotated[Path, typer.Option(help="folder with efigi.csv and giz512.csv")] = SHARED,
    labels: Annotated[
        list[Path] | None, typer.Option(help="table that `labels` wrote, to learn from too; several times for several")
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="model repository of an earlier release to start from, made of the same tables")
    ] = None,
    runs: Annotated[Path, typer.Option(help="folder for what --resume needs")] = Path("runs/release"),
    model_repo: Annotated[Path, typer.Option(help="where the SavedModels and the manifest go")] = MODEL_REPO,
    models_config: Annotated[Path, typer.Option(help="generated from the manifest")] = Path("serving/models.config"),
    quick: Annotated[int, typer.Option(help="divide sample and steps by this, to try the pipeline", min=1)] = 1,
    workers: Annotated[int, typer.Option(help="processes that simulate, and networks that learn at once", min=1)] = 2,
    precision: Annotated[
        Literal["mixed_bfloat16", "float32"], typer.Option(help="float32 where the processor has no bfloat16")
    ] = "mixed_bfloat16",
    resume: Annotated[bool, typer.Option("--resume", help="take up an interrupted run")] = False,
    train_only: Annotated[
        bool, typer.Option("--train-only", help="end when the networks are trained; JAX can do that much")
    ] = False,
) -> None:
    """Make a whole release: simulate, train every network, calibrate, export, write the manifest."""
    from training.data.training_data import ReleasePaths
    from training.release import parallel, recipe

    how = recipe.Recipe(seed=seed, precision=precision)
    how = replace(
        how,
        simulated=how.simulated // quick,
        blended=max(1, how.blended // quick),
        pretraining_steps=how.pretraining_steps // quick,
        finetuning_steps=how.finetuning_steps // quick,
        rejector_steps=how.rejector_steps // quick,
    )
    tables, aside = galaxies / "efigi.csv", galaxies / "giz512.csv"
    if not tables.exists():
        console.print(f"No {tables}: learning from simulated galaxies alone.")
    more = tuple(labels or ())
    if missing := [str(path) for path in more if not path.is_file()]:
        give_up(f"There is no table {', '.join(missing)}.")
    paths = ReleasePaths(
        tables=((tables,) if tables.exists() else ()) + more,
        set_aside=(aside,) if aside.exists() else (),
        runs=runs,
        model_repo=model_repo,
        models_config=models_config,
        start=start,
    )
    if train_only:
        parallel.train_all(how, paths, resume=resume, workers=workers, say=say)
        return
    number = next_version(model_repo) if version is None else version
    from training.release import build

    made = build.release(how, paths, name=name, version=number, resume=resume, workers=workers, say=say)
    console.print(json.dumps(made.metrics, indent=2))


def next_version(model_repo: Path) -> int:
    """Return the version after those of the existing release; 1 without one."""
    if not (model_repo / "manifest.json").exists():
        return 1
    return 1 + max(model.version for model in read_release(model_repo).models)
