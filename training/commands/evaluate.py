"""``evaluate``: measures a release, or predictions made elsewhere, and writes JSON, tables and figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - the command line is made from the annotations
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from training.commands.common import MODEL_REPO, console, give_up, read_release
from training.files import write_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from training.data.dataset import RealGalaxy
    from training.evaluation.evaluate import Predictions
    from training.evaluation.labelled_images import LabelledImages

_NAMED = 3


def evaluate(
    out: Annotated[Path, typer.Option(help="folder for report.json, predictions.csv and the figures")],
    images: Annotated[Path | None, typer.Option(help="folder to which the table's files are relative")] = None,
    labels: Annotated[Path | None, typer.Option(help="CSV with file and inclination, optionally pgc, reject")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="instead: CSV with measured and one column per model, made elsewhere")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="CSV with pgc and inclination by gas motions: a truth for the whole range"),
    ] = None,
    surveys: Annotated[
        int, typer.Option(help="simulate this many galaxies as every imaging survey sees them; 0 for none", min=0)
    ] = 0,
    isotropy: Annotated[
        bool, typer.Option("--isotropy", help="measure every disc of the table: are their cos i uniform?")
    ] = False,
    model_repo: Annotated[Path, typer.Option(help="the release to measure")] = MODEL_REPO,
    split: Annotated[str, typer.Option(help="only train, validation or test galaxies; empty for all")] = "",
    turns: Annotated[int, typer.Option(help="show every picture this many times turned; 0 for not", min=0)] = 0,
    figures: Annotated[bool, typer.Option(help="draw the figures")] = True,
) -> None:
    """Measure a release on labelled pictures, or predictions made elsewhere.

    Writes report.json, predictions.csv (which --predictions reads back), residuals.png, ellipticity.png, rejectors.png,
    isotropy.png and outliers.png, each where there is something to show.
    """
    from training.data.dataset import TableFault

    if (predictions is None) == (labels is None) or (labels is None) != (images is None):
        give_up("Give either --images and --labels, or --predictions.")
    try:
        if predictions is not None:
            _elsewhere(predictions, out, figures=figures)
        elif labels is not None and images is not None:
            asked = _Asked(images, labels, truth, split, turns, surveys, isotropy=isotropy, figures=figures)
            _release(asked, out, model_repo)
    except TableFault as error:
        give_up(str(error))
    except OSError as error:
        give_up(f"{error.filename or 'A file'} can't be read or written: {error.strerror or error}.")


def _elsewhere(path: Path, out: Path, *, figures: bool) -> None:
    from training.evaluation import evaluate as evaluation
    from training.evaluation import predictions_table

    table = predictions_table.read(path)
    report = evaluation.report(table.galaxies, table.said, served=table.served, ellipticity_deg=table.ellipticity_deg)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "report.json", {"predictions": path.name, "sample": table.counted(), **report})
    for line, why in list(table.left_out.items())[:_NAMED]:
        console.print(f"Left out {line}: {why}", highlight=False)
    _count("lines were left out", list(table.left_out))
    if table.ignored:
        console.print(f"Columns without numbers, ignored: {', '.join(table.ignored)}.", highlight=False)
    _print(report)
    if figures:
        _draw(table.galaxies, table.said, report, out, table.ellipticity_deg, title=path.name)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options of the command line that choose what is measured."""

    images: Path
    labels: Path
    truth: Path | None
    split: str
    turns: int
    surveys: int
    isotropy: bool
    figures: bool


def _release(asked: _Asked, out: Path, model_repo: Path) -> None:
    from training.data import dataset
    from training.evaluation import evaluate as evaluation
    from training.evaluation import independent, labelled_images, predictions_table, surveys

    images, labels, split = asked.images, asked.labels, asked.split
    manifest = read_release(model_repo)
    truth = independent.read_truth(asked.truth) if asked.truth else {}

    def wanted(galaxy: RealGalaxy) -> bool:
        return galaxy.pgc in truth or (asked.isotropy and independent.is_disc(galaxy))

    sample = labelled_images.read(_chosen(dataset.read_table(labels, images), split, labels), wanted)
    _say_left_out(sample)
    if not sample.galaxies:
        give_up(f"{labels.name} has no galaxy that people judged and whose picture could be read from {images}.")
    ask = evaluation.opened(manifest, model_repo)
    said, ellipticity = ask(sample.inputs), sample.ellipticity_deg
    served = evaluation.intervals(said, manifest.calibration, manifest.label_range_deg)
    report: dict[str, Any] = {"release": manifest.release, "split": split or "all", "sample": sample.counted()}
    report |= evaluation.report(sample.galaxies, said, served=served, ellipticity_deg=ellipticity)
    if asked.truth is not None:
        compared = independent.compare(sample.galaxies, said, truth, served=served, ellipticity_deg=ellipticity)
        report["truth"] = {"table": asked.truth.name, **compared}
    if asked.isotropy:
        report["isotropy"] = _isotropy(sample, said)
    if asked.surveys:
        report["surveys"] = surveys.compare(ask, asked.surveys)
    if asked.turns > 1 and (found := labelled_images.orientation(sample.galaxies, ask, asked.turns)):
        report["orientation"] = found
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "report.json", report)
    predictions_table.write(
        out / "predictions.csv", sample.galaxies, said, ellipticity_deg=sample.ellipticity_deg, served=served
    )
    _print(report)
    if asked.figures:
        title = f"release {manifest.release} on {labels.name}" + (f", {split} galaxies" if split else "")
        _draw(sample.galaxies, said, report, out, ellipticity, title=title, inputs=sample.inputs)
    if asked.figures and asked.isotropy:
        from training.figures import report as drawing

        drawing.isotropy(report["isotropy"], out / "isotropy.png", title=f"release {manifest.release} on {labels.name}")


def _isotropy(sample: LabelledImages, said: Predictions) -> dict[str, Any]:
    """Return the isotropy of the discs by the networks, the ellipses and the catalogue's axis ratios."""
    from training.evaluation import independent

    discs = np.array([independent.is_disc(g) for g in sample.galaxies], bool)
    catalogue = np.array([g.axis_ratio_deg for g in sample.galaxies], np.float64)
    ways = {"ensemble": said.median, "ellipticity": sample.ellipticity_deg, "axis_ratio": catalogue}
    return {name: independent.isotropy(values[discs]) for name, values in ways.items()}


def _chosen(rows: Sequence[RealGalaxy], split: str, labels: Path) -> Sequence[RealGalaxy]:
    from training.data import dataset

    if not split:
        return rows
    if split not in {"train", "validation", "test"}:
        give_up(f"There is no split {split!r}; there are train, validation and test.")
    if any(g.pgc == -1 for g in rows):
        give_up(f"--split goes by PGC numbers, and {labels.name} lacks some of them.")
    return [g for g in rows if dataset.split_of(g.pgc) == split]


def _say_left_out(sample: LabelledImages) -> None:
    _count("files of the table do not exist", sample.missing)
    _count("files can't be read as pictures", list(sample.unreadable))
    for name, why in list(sample.unreadable.items())[:_NAMED]:
        console.print(f"  {name}: {why}", highlight=False)


def _count(what: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        console.print(f"{len(names)} {what}: {', '.join(names[:_NAMED])}{more}.", highlight=False)


def _print(report: dict[str, Any]) -> None:
    from training.commands import report_tables

    for table in report_tables.of(report):
        console.print(table)


def _draw(
    galaxies: Sequence[RealGalaxy],
    said: Predictions,
    report: dict[str, Any],
    out: Path,
    ellipticity_deg: NDArray[np.float64] | None,
    *,
    title: str,
    inputs: NDArray[np.uint8] | None = None,
) -> None:
    from training.figures import report as drawing

    measured = np.array([g.measured for g in galaxies], bool)
    labels = np.array([g.inclination_deg for g in galaxies], np.float64)[measured]
    if measured.any():
        ways = {"median of all": said.median, **said.flavors}
        drawing.residuals(labels, {n: v[measured] for n, v in ways.items()}, out / "residuals.png", title=title)
        rivals = {"median of the networks": said.median[measured]}
        if "ellipticity" in report and ellipticity_deg is not None:
            rivals["ellipticity, r = 0.3"] = ellipticity_deg[measured]
            drawing.residuals(labels, rivals, out / "ellipticity.png", title=title)
        if inputs is not None:
            names = [g.path.stem for g, m in zip(galaxies, measured, strict=True) if m]
            shown = {"networks": said.median[measured]}
            if ellipticity_deg is not None:
                shown["ellipse"] = ellipticity_deg[measured]
            drawing.outliers(inputs[measured], names, labels, shown, out / "outliers.png")
    if "rejectors" in report and said.rejection is not None:
        judged = [g.judgement is not None for g in galaxies]
        reasons = [g.judgement for g in galaxies if g.judgement is not None]
        likelihoods = {n: v[judged] for n, v in {**said.rejectors, "ensemble": said.rejection}.items()}
        drawing.roc_curves(reasons, likelihoods, report["rejectors"], out / "rejectors.png")
