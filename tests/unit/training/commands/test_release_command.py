from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from gateway.core.manifest import read_manifest, write_manifest
from training import __main__ as cli
from training.commands.release import next_version
from training.simulation import sample

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.core.manifest import Manifest
    from training.data.training_data import ReleasePaths

pytestmark = pytest.mark.slow


def test_the_command_line_simulates_and_measures(tiny_release: tuple[Manifest, ReleasePaths], tmp_path: Path) -> None:
    runner = CliRunner()
    out = tmp_path / "sample"
    assert runner.invoke(cli.app, ["simulate", "--out", str(out), "--count", "2", "--seed", "9"]).exit_code == 0
    found = sample.load(out)
    Image.fromarray(found.images[0]).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("file,inclination\na.png,61\n")
    arguments = ["--images", str(tmp_path), "--labels", str(tmp_path / "labels.csv"), "--out", str(tmp_path / "r")]
    result = runner.invoke(cli.app, ["evaluate", *arguments, "--model-repo", str(tiny_release[1].model_repo)])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    assert report["ensemble"]["median"]["galaxies"] == 1
    assert "ensemble, median" in result.output


def test_a_release_gets_the_version_after_that_of_the_release_in_place(
    tiny_release: tuple[Manifest, ReleasePaths], tmp_path: Path
) -> None:
    assert next_version(tmp_path) == 1
    manifest, paths = tiny_release
    assert {model.version for model in manifest.models} == {3}
    assert next_version(paths.model_repo) == 4
    newer = manifest.flavors[0].model_copy(update={"version": 12})
    write_manifest(manifest.model_copy(update={"flavors": (newer, *manifest.flavors[1:])}), tmp_path / "manifest.json")
    assert max(model.version for model in read_manifest(tmp_path / "manifest.json").models) == 12
    assert next_version(tmp_path) == 13


def test_a_release_is_not_begun_beside_a_manifest_that_can_not_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(typer.Exit):
        next_version(tmp_path)
    assert "is no manifest" in capsys.readouterr().err
