"""``python -m training evaluate``: what it writes and prints, and how it gives up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from gateway.images.decode import decode
from tests.support.labelled_galaxies import CALIBRATION, galaxies, predictions
from training import __main__ as cli
from training.commands import report_tables
from training.evaluation import evaluate, predictions_table

if TYPE_CHECKING:
    from pathlib import Path


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["evaluate", *map(str, arguments)])


def test_the_tables_fit_into_eighty_columns_however_bad_the_numbers_are(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [replace(row, axis_ratio_deg=90.0 if n < 3 else 20.0) for n, row in enumerate(galaxies(4))]
    said = predictions(rows, scatter=40.0)
    report = evaluate.report(rows, said, CALIBRATION, ellipticity_deg=np.zeros(len(rows)))
    screen = Console(width=80)
    for table in report_tables.of(report):
        screen.print(table)
    printed = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= 80
    assert "…" not in printed
    assert "catalogue's axis ratio" in printed


def test_the_command_reports_predictions_made_elsewhere(tmp_path: Path) -> None:
    rows = galaxies()
    predictions_table.write(tmp_path / "p.csv", rows, predictions(rows))
    result = invoke("--predictions", tmp_path / "p.csv", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "ensemble, median" in result.output
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["sample"]["measured"] == 60
    assert 2 < report["ensemble"]["median"]["rms_deg"] < 4
    drawn = {path.name: decode(path.read_bytes()) for path in (tmp_path / "out").glob("*.png")}
    assert set(drawn) == {"residuals.png", "rejectors.png"}
    assert min(min(picture.width, picture.height) for picture in drawn.values()) > 300


@pytest.mark.parametrize("content", ["measured,a_m0\n60,61\n", "measured,a_m0\n60,61\n60,62\n", "measured,a\n,50\n"])
def test_a_report_of_hardly_anything_is_valid_json(content: str, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(content)
    result = invoke("--predictions", tmp_path / "p.csv", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads((tmp_path / "out" / "report.json").read_text(), parse_constant=refuse)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ("name,inclination\na.png,60\n", "labels.csv has no column file; it has: name, inclination."),
        ("file,inclination\na.png,sixty\n", "labels.csv, line 2: inclination is 'sixty', which is no number."),
        ("file,inclination\na.png,60\nb.png,120\n", "line 3: inclination is 120; it lies between 0 and 90"),
        ("file,inclination\n,60\n", "line 2: file is empty."),
        ("file,inclination\na.png,60\n", "no release in"),
    ],
)
def test_the_command_says_in_a_sentence_what_is_wrong(labels: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(labels)
    arguments = ["--images", tmp_path, "--labels", tmp_path / "labels.csv", "--out", tmp_path / "out"]
    if "no release" not in sentence:
        arguments += ["--model-repo", "model_repo"]
    else:
        arguments += ["--model-repo", tmp_path]
    result = invoke(*arguments)
    assert result.exit_code == 1
    assert sentence in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


def test_the_command_wants_pictures_or_predictions_but_not_both(tmp_path: Path) -> None:
    for arguments in ([], ["--labels", "a.csv"], ["--images", "a", "--labels", "a.csv", "--predictions", "b.csv"]):
        result = invoke(*arguments, "--out", tmp_path)
        assert result.exit_code == 1
        assert "--images and --labels, or --predictions" in result.stderr


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    result = invoke("--predictions", tmp_path / "nowhere.csv", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "nowhere.csv can't be read" in result.stderr.replace("\n", "")
