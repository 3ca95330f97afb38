from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import survey_plan
from benchmarks.survey_plan import MEASURED, SCALES, Scale


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: f"{scale.galaxies:.0e}")
def test_the_formula_says_what_the_simulation_does(scale: Scale) -> None:
    simulated, undone = survey_plan.simulate(scale)
    # a last partition that is killed late is beyond the formula's average: at most one more of them
    partition_h = scale.threads * scale.partition_rows / survey_plan.rows_per_core_s() / 3600
    assert simulated == pytest.approx(survey_plan.hours(scale), rel=0.05, abs=partition_h)
    assert 0 <= undone < 0.02


def test_without_kills_a_run_that_divides_evenly_wastes_nothing() -> None:
    scale = Scale(2_000_000, machines=1, cores=10, threads=2, partition_rows=1000, kills_per_day=0)
    simulated, undone = survey_plan.simulate(scale)
    assert undone == 0
    assert simulated == pytest.approx(2_000_000 / (10 * survey_plan.rows_per_core_s()) / 3600)


def test_twice_the_rate_of_the_networks_is_less_than_twice_the_rate_of_all() -> None:
    faster = replace(MEASURED, rows_per_s=2 * MEASURED.rows_per_s)
    ratio = survey_plan.rows_per_core_s(faster) / survey_plan.rows_per_core_s()
    assert 1.5 < ratio < 2


def test_the_page_has_the_table_that_the_numbers_make() -> None:
    page = survey_plan.PAGE.read_text(encoding="utf-8")
    assert survey_plan.table() in page, "python -m benchmarks.survey_plan --write brings it up to date"
