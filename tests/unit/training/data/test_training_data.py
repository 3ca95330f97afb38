"""What a release learns from: the tables of labels that it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from tests.support.networks import paths_in
from training import __main__ as cli
from training.data.training_data import real_galaxies

if TYPE_CHECKING:
    from pathlib import Path


def test_galaxies_of_all_tables_are_learned_from_over_the_whole_range(tmp_path: Path) -> None:
    one, other = tmp_path / "efigi.csv", tmp_path / "zoo.csv"
    one.write_text("pgc,file,inclination\n1,a.jpg,61\n")
    other.write_text("pgc,galaxy,file,inclination,reject\n,G2,b.jpg,20,\n3,,c.jpg,45,\n4,,d.jpg,,unsuitable\n")
    rows, aside = real_galaxies(replace(paths_in(tmp_path), tables=(one, other), set_aside=(one,)))
    assert [(row.path.name, row.measured, row.judgement) for row in rows] == [
        ("a.jpg", True, ""),
        ("b.jpg", True, "face_on"),
        ("c.jpg", True, ""),
        ("d.jpg", False, "unsuitable"),
    ]
    assert aside == {1}


def test_a_table_of_labels_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    said = CliRunner().invoke(cli.app, ["release", "--labels", str(tmp_path / "zoo.csv"), "--runs", str(tmp_path)])
    assert said.exit_code != 0
    assert "There is no table" in said.output
