"""What people said, as arrays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.measured import said
from zoo.statistics.measurements import Flag, grouped_median

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_who_judges_a_galaxy_again_said_the_median() -> None:
    once = said((1, 7, 50.0), (1, 8, 60.0), (1, 7, 54.0), (1, 7, 51.0)).once_each()
    assert (once.person.tolist(), once.inclination_deg.tolist()) == ([7, 8], [51.0, 60.0])


def test_who_rejects_a_galaxy_half_of_the_times_rejects_it_for_the_commonest_reason() -> None:
    once = said(
        (1, 7, 50.0),
        (1, 7, Flag.DISTURBED),
        (2, 7, Flag.FACE_ON),
        (2, 7, Flag.DISTURBED),
        (3, 7, Flag.FACE_ON),
        (3, 7, Flag.DISTURBED),
        (3, 7, Flag.DISTURBED),
    ).once_each()
    assert once.flag.tolist() == [Flag.DISTURBED, Flag.FACE_ON, Flag.DISTURBED]
    assert np.isnan(once.inclination_deg).all()


def test_who_is_not_sure_has_measured_all_the_same() -> None:
    sure = said((1, 7, 50.0))
    assert replace(sure, flag=np.array([Flag.NOT_SURE])).once_each().inclination_deg.tolist() == [50.0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"person": np.array([1, 2])}, "of different lengths"),
        ({"inclination_deg": np.array([90.5])}, "outside of 0 to 90 degrees"),
        ({"inclination_deg": np.array([np.nan])}, "neither an inclination nor a flag"),
        ({"is_standard": np.array([True])}, "no true inclination"),
    ],
)
def test_arrays_that_contradict_themselves_are_refused(change: dict[str, NDArray[Any]], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replace(said((1, 7, 50.0)), **change)


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(-1e6, 1e6)), max_size=30))
def test_medians_by_group_are_those_of_the_groups(rows: list[tuple[int, float]]) -> None:
    group, values = np.array([r[0] for r in rows], np.intp), np.array([r[1] for r in rows], np.float64)
    expected = [np.median(values[group == n]) if (group == n).any() else np.nan for n in range(5)]
    np.testing.assert_allclose(grouped_median(values, group, 5), expected)
