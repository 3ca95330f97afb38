"""``python -m training``: simulate galaxies, train networks, make a model release, measure one."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from gateway.contract import read_manifest

# TensorFlow prints what it found of the processor unless it is told before its import not to.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

SHARED = Path("../shared/galaxies")
MODEL_REPO = Path("model_repo")
_SAY_EVERY = 50

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
console = Console()

Seed = Annotated[int, typer.Option(help="everything random follows from it")]
Workers = Annotated[int, typer.Option(help="processes that simulate; the result is the same for any number")]


def _say(what: str, metrics: dict[str, float]) -> None:
    step = int(metrics["step"])
    if step % _SAY_EVERY:
        return
    said = f"{what}: step {step}"
    if "recent_loss" in metrics:
        minutes, reading = metrics["seconds_left"] / 60, metrics["reading_share"]
        said += f", loss {metrics['recent_loss']:.4f}, {minutes:.1f} min left, reading {reading:.1%} of the time"
    console.print(said, highlight=False)


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="folder for images.npy and truth.csv")],
    count: Annotated[int, typer.Option(help="how many galaxies", min=1)] = 1000,
    seed: Seed = 1,
    workers: Workers = 1,
) -> None:
    """Simulate galaxies of known inclination, with a truth table."""
    from training import sample  # noqa: PLC0415 - each command imports only what it needs

    made = sample.simulate(seed=seed, count=count, workers=workers, progress=lambda n: _say("simulate", {"step": n}))
    sample.save(made, out)
    console.print(f"{count} galaxies in {out}")


@app.command()
def train(
    simulated: Annotated[Path, typer.Option(help="folder that `simulate` wrote")],
    out: Annotated[Path, typer.Option(help="folder for the snapshot and the metrics")],
    steps: Annotated[int, typer.Option(min=1)] = 1800,
    seed: Seed = 1,
    resume: Annotated[bool, typer.Option("--resume", help="go on from the snapshot in --out")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Train one network on simulated galaxies alone."""
    from training import recipe, sample  # noqa: PLC0415 - each command imports only what it needs

    how = replace(recipe.Recipe(), seed=seed, pretraining_steps=steps)
    recipe.pretrain(how, sample.load(simulated), out, resume=resume, progress=lambda m: _say("train", m))


@app.command()
def release(  # noqa: PLR0917 - the options of a command line are given by name
    name: Annotated[str, typer.Option(help="of the release, such as 2025.1")] = "1",
    version: Annotated[int, typer.Option(help="of every model", min=1)] = 1,
    seed: Seed = 1,
    galaxies: Annotated[Path, typer.Option(help="folder with efigi.csv and giz512.csv")] = SHARED,
    runs: Annotated[Path, typer.Option(help="folder for what --resume needs")] = Path("runs/release"),
    model_repo: Annotated[Path, typer.Option(help="where the SavedModels and the manifest go")] = MODEL_REPO,
    models_config: Annotated[Path, typer.Option(help="generated from the manifest")] = Path("serving/models.config"),
    quick: Annotated[int, typer.Option(help="divide sample and steps by this, to try the pipeline", min=1)] = 1,
    workers: Workers = 2,
    resume: Annotated[bool, typer.Option("--resume", help="take up an interrupted run")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Make a whole release: simulate, train every network, calibrate, export, write the manifest."""
    from training import recipe  # noqa: PLC0415 - each command imports only what it needs
    from training import release as making  # noqa: PLC0415 - as above

    how = recipe.Recipe(seed=seed)
    how = replace(
        how,
        simulated=how.simulated // quick,
        pretraining_steps=how.pretraining_steps // quick,
        finetuning_steps=how.finetuning_steps // quick,
        rejector_steps=how.rejector_steps // quick,
    )
    tables, aside = galaxies / "efigi.csv", galaxies / "giz512.csv"
    if not tables.exists():
        console.print(f"No {tables}: learning from simulated galaxies alone.")
    places = making.Places(
        tables=(tables,) if tables.exists() else (),
        set_aside=(aside,) if aside.exists() else (),
        runs=runs,
        model_repo=model_repo,
        models_config=models_config,
    )
    made = making.release(how, places, name=name, version=version, resume=resume, workers=workers, say=_say)
    console.print(json.dumps(made.metrics, indent=2))


@app.command()
def evaluate(
    images: Annotated[Path, typer.Option(help="folder to which the table's files are relative")],
    labels: Annotated[Path, typer.Option(help="CSV with file and inclination, optionally pgc, reject")],
    out: Annotated[Path, typer.Option(help="folder for report.json and predictions.csv")],
    model_repo: Annotated[Path, typer.Option(help="the release to measure")] = MODEL_REPO,
    split: Annotated[str, typer.Option(help="only train, validation or test galaxies; empty for all")] = "",
) -> None:
    """Measure a release on labelled pictures."""
    from training import dataset  # noqa: PLC0415 - each command imports only what it needs
    from training import evaluate as measuring  # noqa: PLC0415 - as above

    manifest = read_manifest(model_repo / "manifest.json")
    rows = dataset.read_table(labels, images)
    galaxies = [g for g in rows if (g.measured or g.reject) and (not split or dataset.split_of(g.pgc) == split)]
    said = measuring.predict(manifest, model_repo, dataset.images(galaxies))
    report = measuring.report(galaxies, said, manifest.calibration)
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    with (out / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "measured", "reject", "median", *said.flavors, *said.rejectors])
        columns = [np.median(said.stacked, axis=0), *said.flavors.values(), *said.rejectors.values()]
        for galaxy, *values in zip(galaxies, *columns, strict=True):
            numbers = [f"{value:.3f}" for value in values]
            table.writerow([galaxy.path.name, galaxy.inclination_deg, galaxy.reject, *numbers])
    _print(report)


@app.command()
def figures(
    out: Annotated[Path, typer.Option(help="folder for contact-sheet.jpg and comparison.png")],
    galaxies: Annotated[Path, typer.Option(help="folder with efigi.csv")] = SHARED,
    model_repo: Annotated[Path, typer.Option(help="the release to show")] = MODEL_REPO,
    seed: Seed = 2,
) -> None:
    """Draw simulated beside real galaxies, and the test galaxies' errors."""
    from training import dataset, sample  # noqa: PLC0415 - each command imports only what it needs
    from training import evaluate as measuring  # noqa: PLC0415 - as above
    from training import figures as drawing  # noqa: PLC0415 - as above

    manifest = read_manifest(model_repo / "manifest.json")
    rows = dataset.read_table(galaxies / "efigi.csv")
    test = [g for g in dataset.select(rows, "test") if g.measured]
    images = dataset.images(test)
    labels = np.array([g.inclination_deg for g in test])
    made = sample.simulate(seed=seed, count=70)
    discs = np.flatnonzero([row["reject"] == "" for row in made.truth])[:40]
    out.mkdir(parents=True, exist_ok=True)
    drawing.contact_sheet(
        [
            ("simulated (true inclination)", made.images[discs], made.column("inclination_deg")[discs].tolist()),
            ("real, of the test sample (measured by people)", images[:40], labels[:40].tolist()),
        ],
        out / "contact-sheet.jpg",
        columns=10,
    )
    median = np.median(measuring.predict(manifest, model_repo, images).stacked, axis=0)
    catalogue = np.array([g.axis_ratio_deg for g in test])
    known = ~np.isnan(catalogue)
    predicted = {"median of the networks": median[known], "catalogue's axis ratio": catalogue[known]}
    drawing.comparison(labels[known], predicted, out / "comparison.png", title="Galaxies that no training step saw")


def _print(report: dict[str, Any]) -> None:
    table = Table("", "galaxies", "rms", "mean abs.", "median abs.", "bias", title="degrees")
    rows = {
        **{f"ensemble, {how}": found for how, found in report.get("ensemble", {}).items()},
        **{f"median of {name}": found for name, found in report.get("architectures", {}).items()},
        **report.get("flavors", {}),
        **({"catalogue's axis ratio": report["axis_ratio"]} if "axis_ratio" in report else {}),
    }
    for name, found in rows.items():
        numbers = (found[key] for key in ("rms_deg", "mae_deg", "median_abs_deg", "bias_deg"))
        table.add_row(name, f"{found['galaxies']:.0f}", *(f"{number:.2f}" for number in numbers))
    console.print(table)
    for name, found in report.get("rejectors", {}).items():
        console.print(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in found.items()), highlight=False)


if __name__ == "__main__":
    app()
