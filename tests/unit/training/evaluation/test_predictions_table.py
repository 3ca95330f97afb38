"""Tables of predictions, written here or elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.labelled_galaxies import CALIBRATION, galaxies, predictions
from training.data.dataset import TableFault
from training.evaluation import evaluate, predictions_table

if TYPE_CHECKING:
    from pathlib import Path


def test_a_written_table_of_predictions_gives_the_same_report(tmp_path: Path) -> None:
    rows = galaxies()
    said = predictions(rows)
    ellipses = np.array([row.inclination_deg + 2 for row in rows])
    served = evaluate.intervals(said, CALIBRATION)
    path = tmp_path / "predictions.csv"
    predictions_table.write(path, rows, said, ellipticity_deg=ellipses, served=served)
    table = predictions_table.read(path)
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
    table = predictions_table.read(path)
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
    with pytest.raises(TableFault, match=sentence):
        predictions_table.read(path)
