"""Truth by gas motions, and the isotropy of the sky."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.labelled_galaxies import CALIBRATION, galaxies, predictions
from training.data.dataset import TableFault
from training.evaluation import evaluate, independent

if TYPE_CHECKING:
    from pathlib import Path


def test_a_galaxy_that_several_have_measured_gets_their_median(tmp_path: Path) -> None:
    table = tmp_path / "gas.csv"
    table.write_text("pgc,name,inclination,source\n1,A,20,x\n2,B,50,x\n1,A,30,y\n1,A,70,z\n")
    assert independent.read_truth(table) == {1: 30, 2: 50}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("pgc,i\n1,20\n", "no column inclination; it has: pgc, i"),
        ("pgc,inclination\n1,20\nx,20\n", "line 3 has no PGC number or no inclination"),
        ("pgc,inclination\n1,\n", "line 2 has no PGC number or no inclination"),
        ("pgc,inclination\n1,91\n", "line 2 has no PGC number or no inclination between 0 and 90"),
    ],
)
def test_a_table_of_another_truth_that_can_not_be_used_says_why(content: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "gas.csv").write_text(content)
    with pytest.raises(TableFault, match=sentence):
        independent.read_truth(tmp_path / "gas.csv")


def test_errors_and_intervals_are_told_apart_by_the_range_of_the_truth() -> None:
    rows = galaxies()
    said = predictions(rows)
    truth = {row.pgc: float(n) for n, row in enumerate(rows[:60])}
    served = evaluate.intervals(said, CALIBRATION)
    found = independent.compare(rows, said, truth, served=served)
    expected = said.median[:60] - np.arange(60)
    ranges = {(one["from_deg"], one["to_deg"]): one for one in found["ensemble"]["ranges"]}
    assert list(ranges) == [(0, 30), (30, 45), (45, 60)]
    assert ranges[30, 45]["galaxies"] == 15
    assert ranges[30, 45]["bias_deg"] == pytest.approx(expected[30:45].mean())
    assert ranges[0, 30]["rms_deg"] == pytest.approx(np.sqrt((expected[:30] ** 2).mean()))
    inside = (served.low68[45:60] <= np.arange(45, 60)) & (np.arange(45, 60) <= served.high68[45:60])
    assert ranges[45, 60]["inside68"] == pytest.approx(inside.mean())
    assert found["ensemble"]["all"]["galaxies"] == 60


def test_galaxies_without_another_truth_are_compared_with_nothing() -> None:
    rows = galaxies()
    assert independent.compare(rows, predictions(rows), {10**9: 40.0}) == {}


def test_discs_that_lie_at_random_fill_every_bin_alike() -> None:
    inclinations = np.degrees(np.arccos((np.arange(1000) + 0.5) / 1000))
    found = independent.isotropy(np.append(inclinations, np.nan))
    assert found["counts"] == [100] * 10
    assert found["galaxies"] == 1000
    assert found["largest_excess"] < 0.001


def test_a_pile_of_answers_is_found_where_it_is() -> None:
    inclinations = np.degrees(np.arccos((np.arange(1000) + 0.5) / 1000))
    found = independent.isotropy(np.maximum(inclinations, 45.0))
    assert found["largest_excess"] == pytest.approx(1 - np.cos(np.radians(45)), abs=0.002)
    assert found["at_deg"] == pytest.approx(45.0, abs=0.1)
