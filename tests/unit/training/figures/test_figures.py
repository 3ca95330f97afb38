"""What the figures show, asked of their pixels and of the lines they draw."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from gateway.images.decode import decode
from tests.support.pictures import disc
from training import __main__ as cli
from training.figures import curves, report, sheets

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def pixels(path: Path) -> NDArray[np.uint8]:
    return decode(path.read_bytes()).rgb


def plain(*colours: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Model inputs of one colour each."""
    return np.stack([np.full((128, 128, 3), colour, np.uint8) for colour in colours])


def share(rgb: NDArray[np.uint8], colour: tuple[int, int, int]) -> float:
    """The share of pixels near a colour, in units of one picture of 96 pixels a side."""
    near = np.abs(rgb.astype(int) - colour).max(axis=2) < 30
    return float(near.sum()) / 96**2


def test_a_sheet_shows_every_galaxy_once_ordered_by_inclination(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    images = plain((200, 0, 0), (0, 200, 0), (0, 0, 200))
    sheets.contact_sheet([("first", images, [80.0, 50.0, 60.0]), ("second", images[:1], [70.0])], path, columns=2)
    rgb = pixels(path)
    assert [share(rgb, colour) for colour in ((200, 0, 0), (0, 200, 0), (0, 0, 200))] == pytest.approx(
        [2, 1, 1], abs=0.15
    )
    first_line = rgb[40:100].astype(int)
    assert first_line[:, 30:60, 1].mean() > 190  # the green one has the smallest inclination
    assert first_line[:, 130:160, 2].mean() > 190


def test_augmentation_is_shown_galaxy_by_galaxy_beside_the_picture_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    original, made = plain((200, 0, 0))[0], plain((0, 200, 0), (0, 200, 0), (0, 0, 200))
    sheets.augmentation_sheet([("PGC 1, 50°", original, made), ("PGC 2, 60°", original, made)], path)
    rgb = pixels(path)
    assert [share(rgb, c) for c in ((200, 0, 0), (0, 200, 0), (0, 0, 200))] == pytest.approx([2, 4, 2], abs=0.25)
    assert share(rgb[:, :104], (200, 0, 0)) > 1.7


def test_the_worst_read_galaxies_come_first(tmp_path: Path) -> None:
    path = tmp_path / "outliers.png"
    images = plain((200, 0, 0), (0, 200, 0), (0, 0, 200))
    labels, said = np.array([60.0, 60.0, 60.0]), np.array([61.0, 40.0, 70.0])
    ellipse = np.array([np.nan, 60.0, 60.0])
    names = ["a", "an extraordinarily long name of a file", "c"]
    report.outliers(images, names, labels, {"networks": said, "ellipse": ellipse}, path, count=2)
    rgb = pixels(path).astype(int)
    assert rgb[60:100, 40:80, 1].mean() > 190
    assert rgb[60:100, 170:210, 2].mean() > 190
    assert share(rgb.astype(np.uint8), (200, 0, 0)) == 0


def test_a_report_with_twelve_flavors_has_a_panel_for_each(tmp_path: Path) -> None:
    labels = np.linspace(46, 89, 30)
    predicted = {"median of all": labels + 1, **{f"a_m{n}": labels + n for n in range(12)}}
    report.residuals(labels, predicted, tmp_path / "r.png", title="t")
    picture = pixels(tmp_path / "r.png")
    assert picture.shape[0] > 900
    report.residuals(labels[:1], {"one": labels[:1], "none": np.array([np.nan])}, tmp_path / "r.png", title="t")


def test_points_far_outside_are_drawn_at_the_edge_and_do_not_squeeze_the_others(tmp_path: Path) -> None:
    labels = np.full(200, 60.0) + np.arange(200) / 10
    error = np.where(np.arange(200) == 0, 60.0, 2.0)
    assert report._span([error]) < 15  # noqa: SLF001 - what the picture's scale is made of
    report.residuals(labels, {"a": labels - error}, tmp_path / "r.png", title="t")


def test_a_line_of_a_running_mean_lags_nowhere() -> None:
    losses = np.where(np.arange(300) < 150, 1.0, 0.1)
    smooth = curves.smoothed(losses)
    assert smooth[139] == pytest.approx(1.0)
    assert smooth[160] == pytest.approx(0.1)
    assert smooth[150] == pytest.approx(0.55, abs=0.06)
    assert curves.smoothed(np.array([3.0])).tolist() == [3.0]


def write(folder: Path, lines: list[dict[str, float]], tail: str = "") -> None:
    folder.mkdir(parents=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + tail)


def test_metrics_are_read_up_to_the_line_that_a_kill_cut(tmp_path: Path) -> None:
    write(tmp_path / "a_m0", [{"step": n, "loss": 1 / (n + 1)} for n in range(5)], tail='{"step": 5, "lo')
    write(tmp_path / "a_reject", [{"step": 0, "loss": 0.7, "validation_loss": 0.8}, {"step": 1, "loss": 0.6}])
    write(tmp_path / "b_m0", [])
    found = curves.read(tmp_path)
    assert sorted(found) == ["a_m0", "a_reject"]
    assert found["a_m0"]["step"].tolist() == [0, 1, 2, 3, 4]
    assert found["a_reject"]["validation_loss"].tolist() == [0.8, pytest.approx(np.nan, nan_ok=True)]


def test_the_command_draws_a_panel_for_each_kind_of_network(tmp_path: Path) -> None:
    for name in ("pretrained", "a_m0", "a_m1", "a_reject"):
        write(tmp_path / "runs" / name, [{"step": n, "loss": 0.9**n} for n in range(30)])
    arguments = ["curves", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path / "deep" / "curves.png")]
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 0, result.output
    assert "4 networks" in result.output
    height, width = pixels(tmp_path / "deep" / "curves.png").shape[:2]
    assert width / height == pytest.approx(3 * 4.4 / 3.6, rel=0.05)


def test_the_command_says_when_there_is_nothing_to_draw(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli.app, ["curves", "--runs", str(tmp_path)])
    assert result.exit_code == 1
    assert "No metrics.jsonl" in result.stderr


def test_pictures_of_galaxies_keep_their_shape_in_a_sheet(tmp_path: Path) -> None:
    galaxy = disc(128, axis_ratio=0.3, angle_deg=0)
    sheets.grid([sheets.CaptionedImage(galaxy, ("one", "two"))], tmp_path / "g.png", title="t", columns=1)
    drawn = pixels(tmp_path / "g.png").astype(int).sum(axis=2)[30:145, 8:128] > 150
    rows, columns = np.nonzero(drawn)
    assert rows.std() / columns.std() == pytest.approx(0.35, abs=0.1)
