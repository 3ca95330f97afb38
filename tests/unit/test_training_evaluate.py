"""What a report says of predictions, without any network."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from gateway.contract import INPUT_SHAPE, Calibration
from gateway.preprocess import decode
from tests.support.pictures import disc, encoded
from training import __main__ as cli
from training import evaluate, evaluate_sample, evaluate_table, metrics
from training.commands import tables
from training.dataset import RealGalaxy, TableError
from training.evaluate import Predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

CALIBRATION = Calibration(floor_deg=1.0, quantile68=1.5, quantile95=3.0, galaxies=100)


def galaxies(count: int = 60, rejected: int = 20) -> list[RealGalaxy]:
    labels = np.random.default_rng(4).uniform(46, 89, count).round(1)
    kept = [RealGalaxy(n, Path(f"{n}.jpg"), float(label), "") for n, label in enumerate(labels)]
    reasons = ["face_on", "unsuitable"] * (rejected // 2)
    return kept + [RealGalaxy(count + n, Path(f"r{n}.jpg"), math.nan, reason) for n, reason in enumerate(reasons)]


def predictions(rows: list[RealGalaxy], *, scatter: float = 3.0) -> Predictions:
    """Six flavors of two architectures, and two rejectors that know faces from edges but nothing of the unsuitable."""
    rng = np.random.default_rng(7)
    truth = np.nan_to_num(np.array([row.inclination_deg for row in rows]), nan=47.0)
    shared = rng.normal(0, scatter, len(rows))
    names = [f"{a}_m{n}" for a in ("deep", "wide") for n in range(3)]
    flavors = {name: np.clip(truth + shared + rng.normal(0, 1, len(rows)), 45, 90) for name in names}
    face_on = np.array([row.reject == "face_on" for row in rows])
    rejectors = {f"{a}_reject": rng.uniform(0, 0.6, len(rows)) + 0.4 * face_on for a in ("deep", "wide")}
    return Predictions(flavors, rejectors)


def test_the_report_holds_every_way_to_combine_the_networks() -> None:
    rows = galaxies()
    said = predictions(rows)
    report = evaluate.report(rows, said, CALIBRATION)
    labels = np.array([row.inclination_deg for row in rows[:60]])
    stacked = said.stacked[:, :60]
    assert report["ensemble"]["median"]["rms_deg"] == pytest.approx(
        np.sqrt(np.mean((np.median(stacked, axis=0) - labels) ** 2))
    )
    assert report["ensemble"]["mean"]["bias_deg"] == pytest.approx((stacked.mean(axis=0) - labels).mean())
    wide = np.median([values[:60] for name, values in said.flavors.items() if name.startswith("wide")], axis=0)
    assert report["architectures"]["wide"]["mae_deg"] == pytest.approx(np.abs(wide - labels).mean())
    assert list(report["architectures"]) == ["deep", "wide"]
    assert list(report["flavors"]) == list(said.flavors)
    assert sum(found["galaxies"] for found in report["flavors"]["deep_m1"]["bins"]) == 60


def test_galaxies_that_the_rejectors_accept_are_measured_by_themselves() -> None:
    rows = galaxies(4, rejected=0)
    said = Predictions(
        {"a_m0": np.add([row.inclination_deg for row in rows], [1.0, 1.0, 9.0, 9.0])},
        {"a_reject": np.array([0.1, 0.4, 0.6, 0.9]), "b_reject": np.array([0.2, 0.5, 0.5, 0.9])},
    )
    accepted = evaluate.report(rows, said)["ensemble"]["accepted"]
    assert (accepted["galaxies"], accepted["rms_deg"]) == (2, pytest.approx(1.0))


def test_the_two_reasons_to_reject_are_told_apart() -> None:
    report = evaluate.report(galaxies(), predictions(galaxies()))["rejectors"]
    assert set(report) == {"deep_reject", "wide_reject", "ensemble"}
    assert report["ensemble"]["roc_area_face_on"] > 0.95
    assert report["ensemble"]["roc_area_unsuitable"] == pytest.approx(0.5, abs=0.25)
    assert report["ensemble"]["rejected_face_on"] == 10
    assert report["ensemble"]["kept"] == 60


def test_a_reason_that_nobody_knows_still_counts_as_a_rejection() -> None:
    rows = [*galaxies(4, rejected=0), RealGalaxy(9, Path("9.jpg"), math.nan, "rejected")]
    said = Predictions({"a_m0": np.full(5, 60.0)}, {"a_reject": np.array([0.1, 0.1, 0.1, 0.6, 0.9])})
    found = evaluate.report(rows, said)["rejectors"]["a_reject"]
    assert (found["rejected"], found["recall"], found["precision"], found["accuracy"]) == (1, 1, 0.5, 0.8)
    assert math.isnan(found["roc_area_face_on"])


def test_the_intervals_are_those_that_the_gateway_serves() -> None:
    rows = galaxies()
    said = predictions(rows)
    served = evaluate.intervals(said, CALIBRATION)
    assert served.high95.max() <= 90
    assert (served.low95 <= served.low68).all()
    report = evaluate.report(rows, said, CALIBRATION)["coverage"]
    labels = np.array([row.inclination_deg for row in rows[:60]])
    assert report["interval68"] == metrics.coverage(labels, said.stacked[:, :60], CALIBRATION)["interval68"]
    assert report["interval95_width_deg"] == pytest.approx((served.high95 - served.low95)[:60].mean())
    assert report["interval68_error"] == pytest.approx(
        math.sqrt(report["interval68"] * (1 - report["interval68"]) / 60), rel=0.1
    )


def test_that_all_of_a_few_galaxies_lie_inside_is_no_certainty() -> None:
    rows = galaxies(10, rejected=0)
    said = Predictions({"a_m0": np.array([row.inclination_deg for row in rows])})
    found = evaluate.report(rows, said, CALIBRATION)["coverage"]
    assert found["interval95"] == 1
    assert found["interval95_error"] == pytest.approx(math.sqrt(12 / 14 * 2 / 14 / 14))


def test_the_errors_of_a_gaussian_sample_are_those_of_the_textbook() -> None:
    labels = np.random.default_rng(1).uniform(45, 90, 800)
    found = metrics.bootstrap_errors(labels, labels + np.random.default_rng(2).normal(0, 3, 800))
    assert found["rms_error_deg"] == pytest.approx(3 / math.sqrt(1600), rel=0.15)
    assert found["bias_error_deg"] == pytest.approx(3 / math.sqrt(800), rel=0.1)


def test_a_single_outlier_makes_the_error_of_the_rms_larger_than_the_textbooks() -> None:
    labels = np.full(100, 60.0)
    predicted = labels + np.where(np.arange(100) == 0, 30.0, 1.0)
    rms = metrics.residuals(labels, predicted)["rms_deg"]
    assert metrics.bootstrap_errors(labels, predicted)["rms_error_deg"] > 3 * rms / math.sqrt(200)


def test_one_galaxy_has_no_error() -> None:
    assert math.isnan(metrics.bootstrap_errors(np.array([60.0]), np.array([61.0]))["rms_error_deg"])


def test_the_error_of_a_roc_area_is_hanley_and_mcneils() -> None:
    # their example: 51 abnormal, 58 normal, area 0.893 with standard error 0.032
    assert metrics.roc_area_error(0.893, 51, 58) == pytest.approx(0.032, abs=0.001)


def test_a_written_table_of_predictions_gives_the_same_report(tmp_path: Path) -> None:
    rows = galaxies()
    said = predictions(rows)
    ellipses = np.array([row.inclination_deg + 2 for row in rows])
    served = evaluate.intervals(said, CALIBRATION)
    path = tmp_path / "predictions.csv"
    evaluate_table.write(path, rows, said, ellipticity_deg=ellipses, served=served)
    table = evaluate_table.read(path)
    once = evaluate.report(rows, said, served=served, ellipticity_deg=ellipses)
    again = evaluate.report(table.galaxies, table.said, served=table.served, ellipticity_deg=table.ellipticity_deg)
    assert list(once) == list(again)
    for key in ("rms_deg", "mae_deg", "bias_deg"):
        assert again["ensemble"]["median"][key] == pytest.approx(once["ensemble"]["median"][key], abs=2e-3)
    assert again["ellipticity"]["bias_deg"] == pytest.approx(2.0)
    assert again["coverage"]["interval95"] == once["coverage"]["interval95"]
    assert again["rejectors"]["ensemble"]["roc_area"] == pytest.approx(once["rejectors"]["ensemble"]["roc_area"])


def test_rows_and_columns_that_say_nothing_are_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.csv"
    path.write_text("measured, model4,remark\n60,61,fine\n70,oops,\n180,71,\n,50,\n80,inf,\n75,75.5,\n")
    table = evaluate_table.read(path)
    assert list(table.said.flavors) == ["model4"]
    assert table.ignored == ("remark",)
    assert sorted(table.left_out) == ["line 3", "line 4", "line 6"]
    assert "'oops'" in table.left_out["line 3"]
    assert [g.inclination_deg for g in table.galaxies if g.measured] == [60.0, 75.0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("model4\n60\n", "no column measured; it has: model4"),
        ("", "no column measured; it has: nothing"),
        ("measured,remark\n60,fine\n", "no column of a model's predictions"),
        ("measured,a_reject\n60,0.5\n", "no column of a model's predictions"),
        ("measured,a,b\n60,,1\n,2,\n", "no row with numbers for a, b"),
        ("measured,a,a\n60,1,1\n", "two columns of one name"),
    ],
)
def test_a_table_of_no_use_says_why(content: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.csv"
    path.write_text(content)
    with pytest.raises(TableError, match=sentence):
        evaluate_table.read(path)


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["evaluate", *map(str, arguments)])


def test_the_tables_fit_into_eighty_columns_however_bad_the_numbers_are(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [replace(row, axis_ratio_deg=90.0 if n < 3 else 20.0) for n, row in enumerate(galaxies(4))]
    said = predictions(rows, scatter=40.0)
    report = evaluate.report(rows, said, CALIBRATION, ellipticity_deg=np.zeros(len(rows)))
    screen = Console(width=80)
    for table in tables.of(report):
        screen.print(table)
    printed = capsys.readouterr().out
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= 80
    assert "…" not in printed
    assert "catalogue's axis ratio" in printed


def test_the_command_reports_predictions_made_elsewhere(tmp_path: Path) -> None:
    rows = galaxies()
    evaluate_table.write(tmp_path / "p.csv", rows, predictions(rows))
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


def test_pictures_that_are_missing_or_broken_are_counted_and_named(tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(encoded(disc(), "PNG"))
    (tmp_path / "torn.png").write_bytes(encoded(disc(), "PNG")[:500])
    (tmp_path / "dark.png").write_bytes(encoded(np.zeros((40, 40, 3), np.uint8), "PNG"))
    (tmp_path / "folder.png").mkdir()
    rows = [RealGalaxy(-1, tmp_path / f"{name}.png", 60.0, "") for name in ("good", "gone", "torn", "dark", "folder")]
    sample = evaluate_sample.read([*rows, RealGalaxy(-1, tmp_path / "nobody.png", math.nan, "")])
    assert [g.path.name for g in sample.galaxies] == ["good.png"]
    assert sample.inputs.shape == (1, *INPUT_SHAPE)
    counted = sample.counted()
    assert [Path(name).name for name in counted["missing"]] == ["gone.png"]
    assert {Path(name).name for name in counted["unreadable"]} == {"torn.png", "dark.png", "folder.png"}
    assert "one colour" in counted["unreadable"][str(tmp_path / "dark.png")]
    assert counted["unjudged"] == 1


def test_the_baseline_is_the_ellipse_of_the_picture_with_a_thickness_of_three_tenths(tmp_path: Path) -> None:
    (tmp_path / "disc.png").write_bytes(encoded(disc(160, axis_ratio=0.5), "PNG"))
    sample = evaluate_sample.read([RealGalaxy(1, tmp_path / "disc.png", 60.0, "")])
    exact = math.degrees(math.acos(math.sqrt((0.5**2 - 0.3**2) / (1 - 0.3**2))))
    assert sample.ellipticity_deg[0] == pytest.approx(exact, abs=4)


def test_turning_a_picture_keeps_its_galaxy_and_fills_the_corners_with_its_own_sky() -> None:
    rgb = disc(128, axis_ratio=0.4, angle_deg=0.0)
    upright = evaluate_sample.turned(rgb, 90, mirror=False)
    assert np.abs(upright[:, 64].astype(int) - rgb[64].astype(int)).mean() < 6
    corner = evaluate_sample.turned(rgb, 45, mirror=True)[:12, :12].astype(float)
    assert corner.mean() == pytest.approx(rgb[:3].mean(), abs=1.5)
    assert 0.5 < corner.std(axis=(0, 1)).mean() < 4


class Leaning:
    """An ensemble that reads the brightness of the upper left corner, in degrees; remembers how much it was shown."""

    def __init__(self) -> None:
        self.shown = 0

    def __call__(self, images: NDArray[np.uint8]) -> Predictions:
        self.shown += len(images)
        corner = images[:, :30, :30].mean(axis=(1, 2, 3)).astype(float)
        return Predictions({"a_m0": 60 + corner - images.mean(axis=(1, 2, 3))})


def test_what_depends_on_how_a_picture_lies_is_measured(tmp_path: Path) -> None:
    even, lopsided = disc(96, axis_ratio=0.9), disc(96, axis_ratio=0.9)
    lopsided[60:, 60:] = 200
    for name, rgb in (("even", even), ("lopsided", lopsided)):
        (tmp_path / f"{name}.png").write_bytes(encoded(rgb, "PNG"))
    rows = [RealGalaxy(1, tmp_path / f"{name}.png", 60.0, "") for name in ("even", "lopsided", "even")]
    ask = Leaning()
    found = evaluate_sample.orientation([*rows, RealGalaxy(2, tmp_path / "even.png", math.nan, "face_on")], ask, 8)
    assert ask.shown == 3 * 8
    assert found["galaxies"] == 3
    assert found["median_stdev_deg"] < 2
    assert found["worst"]["file"] == "lopsided.png"
    assert found["worst"]["range_deg"] > 50
