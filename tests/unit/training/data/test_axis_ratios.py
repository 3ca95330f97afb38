from __future__ import annotations

import numpy as np
import pytest

from training.data.axis_ratios import expected_deg, projected_axis_ratio


def test_an_oval_disc_seen_face_on_has_its_own_axis_ratio_and_a_round_one_the_cosine() -> None:
    cos, ellipticity = np.array([1.0, 0.5, 0.5, 0.5]), np.array([0.1, 0.0, 0.1, 0.1])
    azimuth = np.array([0.7, 0.3, 0.0, np.pi / 2])
    # tilted about its major axis a disc looks flatter, about its minor axis rounder
    assert projected_axis_ratio(cos, ellipticity, azimuth) == pytest.approx([0.9, 0.5, 0.45, 0.5 / 0.9])


def test_a_round_outline_is_no_face_on_disc_and_inclined_outlines_are_believed() -> None:
    said = expected_deg(np.array([0.0, 15.0, 30.0, 45.0, 60.0, np.nan]))
    assert 12 < said[0] < 25
    assert (np.diff(said[:5]) > 0).all()
    assert said[2] < 30
    assert said[3:5] == pytest.approx([45, 60], abs=4)
    assert np.isnan(said[5])
