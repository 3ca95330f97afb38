"""Commands that draw: sheets of galaxies, comparisons of a release with people, learning curves."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from training.commands.common import MODEL_REPO, SHARED, Seed, console, give_up

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from training.data.dataset import RealGalaxy


class FigureName(Enum):
    """Names of the figures that ``figures`` draws."""

    CONTACT_SHEET = "contact-sheet"
    AUGMENTATION = "augmentation"
    COMPARISON = "comparison"
    SURVEYS = "surveys"


def figures(
    out: Annotated[Path, typer.Option(help="folder for the pictures")],
    galaxies: Annotated[Path, typer.Option(help="folder with efigi.csv and giz512.csv")] = SHARED,
    model_repo: Annotated[Path, typer.Option(help="the release to show")] = MODEL_REPO,
    seed: Seed = 2,
    only: Annotated[list[FigureName] | None, typer.Option(help="draw this one; may be given again")] = None,
) -> None:
    """Draw simulated beside real galaxies, what augmentation makes of some, and the errors of a release."""
    from training.data import dataset

    table = galaxies / "efigi.csv"
    if not table.exists():
        give_up(f"There is no {table}: real galaxies are needed for these pictures.")
    rows = dataset.read_table(table)
    test = [g for g in dataset.select(rows, "test") if g.measured]
    wanted = set(only or FigureName)
    out.mkdir(parents=True, exist_ok=True)
    if FigureName.CONTACT_SHEET in wanted:
        others = galaxies / "giz512.csv"
        measured = [g for g in dataset.read_table(others) if g.measured] if others.exists() else []
        _contact_sheet(test, measured, out / "contact-sheet.jpg", seed)
    if FigureName.AUGMENTATION in wanted:
        _augmentation([g for g in dataset.select(rows, "train") if g.measured], out / "augmentation.jpg", seed)
    if FigureName.SURVEYS in wanted:
        _surveys(out / "surveys.jpg")
    if FigureName.COMPARISON in wanted:
        _comparison(test, out / "comparison.png", model_repo)


def _contact_sheet(test: Sequence[RealGalaxy], others: Sequence[RealGalaxy], path: Path, seed: int) -> None:
    from training.data import dataset
    from training.figures import sheets
    from training.simulation import sample

    made = sample.simulate(seed=seed, count=120)
    blocks: list[tuple[str, NDArray[np.uint8], Sequence[float]]] = []
    kinds = (("EFIGI", "efigi", test[:40], "of EFIGI"), ("SDSS", "sdss", others, "at 512 pixels"))
    for name, tone_curve, real, which in kinds:
        likes = [row["reject"] == "" and row["tone_curve"] == tone_curve for row in made.truth]
        shown = np.flatnonzero(likes)[: max(len(real), 10)]
        truth = made.column("inclination_deg")[shown].tolist()
        blocks.append((f"simulated as {name} shows galaxies (true inclination)", made.images[shown], truth))
        if real:
            measured = [g.inclination_deg for g in real]
            blocks.append((f"real, {which} (measured by people)", dataset.images(real), measured))
    sheets.contact_sheet(blocks, path, columns=10)


def _surveys(path: Path, *, columns: int = 10) -> None:
    from training.evaluation import surveys
    from training.figures import sheets
    from training.simulation.surveys import SURVEYS

    blocks: list[tuple[str, NDArray[np.uint8], Sequence[float]]] = []
    for name in SURVEYS:
        pictures, truth = surveys.pictures(2 * columns, name)
        blocks.append((f"{name} (true inclination)", pictures[:columns], truth[:columns].tolist()))
    sheets.contact_sheet(blocks, path, columns=columns)


def _augmentation(training: Sequence[RealGalaxy], path: Path, seed: int, *, lines: int = 7, versions: int = 9) -> None:
    """Draw galaxies of evenly spaced inclinations as a training step would see them."""
    from training.data import dataset
    from training.figures import sheets
    from training.networks.augmentation import Augmentation, augment, draw
    from training.networks.batches import WIDEN_REAL

    order = sorted(training, key=lambda g: (g.inclination_deg, g.pgc))
    chosen = [order[round(place)] for place in np.linspace(0.02, 0.98, lines) * (len(order) - 1)]
    originals = dataset.images(chosen)
    repeated = np.repeat(originals, versions, axis=0)
    widen = np.tile(np.array(WIDEN_REAL, np.float32), (len(repeated), 1))
    made = augment(repeated, draw(np.random.default_rng(seed), widen, Augmentation()))
    versions_of = np.asarray(made).astype(np.uint8).reshape(lines, versions, *originals.shape[1:])
    captions = [f"PGC {g.pgc}, {g.inclination_deg:.0f}°" for g in chosen]
    sheets.augmentation_sheet(list(zip(captions, originals, versions_of, strict=True)), path)


def _comparison(test: Sequence[RealGalaxy], path: Path, model_repo: Path) -> None:
    from gateway.core.manifest import read_manifest
    from training.data import dataset
    from training.evaluation import evaluate
    from training.figures import report as drawing

    manifest = read_manifest(model_repo / "manifest.json")
    labels = np.array([g.inclination_deg for g in test])
    median = evaluate.predict(manifest, model_repo, dataset.images(test)).median
    catalogue = np.array([g.axis_ratio_deg for g in test])
    known = ~np.isnan(catalogue)
    predicted = {"median of the networks": median[known], "catalogue's axis ratio": catalogue[known]}
    drawing.residuals(labels[known], predicted, path, title="Galaxies that no training step saw")


def curves(
    runs: Annotated[Path, typer.Option(help="folder of a release's runs, each with metrics.jsonl")] = Path(
        "runs/release"
    ),
    out: Annotated[Path, typer.Option(help="the picture: PNG, PDF or SVG")] = Path("runs/learning-curves.png"),
) -> None:
    """Draw the learning curves of every network of a release, also while it is still being made."""
    from training.figures import curves as drawing

    found = drawing.read(runs)
    if not found:
        give_up(f"No metrics.jsonl with a step and a loss lies under {runs}.")
    if out.suffix.lower() not in {".png", ".pdf", ".svg"}:
        give_up(f"{out.name} is neither PNG nor PDF nor SVG.")
    out.parent.mkdir(parents=True, exist_ok=True)
    drawing.learning_curves(found, out)
    console.print(f"{len(found)} networks in {out}", highlight=False)
