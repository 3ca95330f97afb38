from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.data import dataset, human_scale, training_data
from training.data.dataset import RealGalaxy
from training.simulation import sample

SHARED = Path("../shared/galaxies")
UNKNOWN = float("nan")


def galaxies(
    count: int, *, seed: int, measured: bool = True, axes: bool = True, noise_deg: float = 2.0
) -> list[RealGalaxy]:
    """Spirals whose catalogue values follow from their inclination, with the catalogues' scatter."""
    rng = np.random.default_rng(seed)
    true = rng.uniform(45, 90, count)
    expert = np.round((true - 45) / 45 * 3) / 4 + 0.25
    axis = 1.1 * true - 8 + rng.normal(0, noise_deg, count)
    return [
        RealGalaxy(
            1000 * seed + n,
            Path(),
            float(true[n]) if measured else UNKNOWN,
            "",
            stage=float(rng.integers(1, 9)),
            axis_ratio_deg=float(axis[n]) if axes else UNKNOWN,
            expert=float(expert[n]),
        )
        for n in range(count)
    ]


def residuals(scale: human_scale.CatalogueScale, measured: list[RealGalaxy]) -> np.ndarray:
    return np.asarray(scale(measured) - np.array([g.inclination_deg for g in measured]))


def test_the_catalogues_are_put_on_the_scale_of_people() -> None:
    scale = human_scale.fit_catalogue_scale(galaxies(400, seed=1))
    unseen = galaxies(300, seed=2)
    off = np.array([g.axis_ratio_deg - g.inclination_deg for g in unseen])
    assert np.std(residuals(scale, unseen)) < 0.8 * np.std(off)
    assert abs(np.mean(residuals(scale, unseen))) < 0.5


def test_a_galaxy_without_axes_is_read_from_the_expert_s_estimate_alone() -> None:
    scale = human_scale.fit_catalogue_scale(galaxies(400, seed=1))
    without, with_axes = (np.std(residuals(scale, galaxies(300, seed=3, axes=axes))) for axes in (False, True))
    assert with_axes < without < 6


def test_nothing_is_said_of_a_galaxy_of_which_nothing_is_known() -> None:
    scale = human_scale.fit_catalogue_scale(galaxies(400, seed=1))
    assert np.isnan(scale([RealGalaxy(1, Path(), UNKNOWN, "", stage=3)])).all()


def test_a_scale_is_not_fitted_to_a_handful_of_galaxies() -> None:
    scale = human_scale.fit_catalogue_scale(galaxies(60, seed=1))
    assert scale == human_scale.CatalogueScale(None, None)
    assert np.isnan(scale(galaxies(3, seed=2))).all()
    assert human_scale.fit_catalogue_scale([]) == human_scale.CatalogueScale(None, None)


def test_what_the_catalogues_say_stays_within_the_label_range() -> None:
    scale = human_scale.fit_catalogue_scale(galaxies(400, seed=1))
    far = [
        RealGalaxy(1, Path(), UNKNOWN, "", 3, axis_ratio_deg=5, expert=0),
        RealGalaxy(2, Path(), UNKNOWN, "", 3, 130, 1),
    ]
    assert scale(far).tolist() == [45, 90]


def test_only_spirals_that_nobody_judged_are_taken_from_the_catalogues() -> None:
    known = galaxies(400, seed=1)
    asked = [
        RealGalaxy(1, Path(), UNKNOWN, "", stage=3, axis_ratio_deg=75, expert=0.75),
        RealGalaxy(2, Path(), UNKNOWN, "", stage=-3, axis_ratio_deg=75, expert=0.75),
        RealGalaxy(3, Path(), UNKNOWN, "unsuitable", stage=3, axis_ratio_deg=75, expert=0.75),
        RealGalaxy(4, Path(), UNKNOWN, "", stage=3, axis_ratio_deg=48, expert=0.25),
        RealGalaxy(5, Path(), UNKNOWN, "", stage=UNKNOWN, axis_ratio_deg=75, expert=0.75),
        RealGalaxy(6, Path(), UNKNOWN, "", stage=3, axis_ratio_deg=35, expert=0.25),
        RealGalaxy(7, Path(), UNKNOWN, "face_on", stage=3, axis_ratio_deg=48, expert=0.25),
        RealGalaxy(8, Path(), UNKNOWN, "face_on", stage=3, axis_ratio_deg=60, expert=0.25),
    ]
    nothing = sample.SimulatedSample(np.empty((0, 128, 128, 3), np.uint8), ())
    said = training_data.catalogued(
        training_data.TrainingData(nothing, [*known, *asked], np.zeros((408, 128, 128, 3), np.uint8))
    )
    assert np.isnan(said[: len(known)]).all()
    assert np.isfinite(said[len(known) :]).tolist() == [True, *[False] * 4, True, True, False]
    assert said[[len(known), len(known) + 5, len(known) + 6]] == pytest.approx([75, 35, 45], abs=4)


@pytest.mark.skipif(not SHARED.exists(), reason="the shared galaxies are not here")
def test_on_real_galaxies_the_catalogues_together_say_more_than_axis_ratios() -> None:
    rows = dataset.read_table(SHARED / "efigi.csv")
    scale = human_scale.fit_catalogue_scale(dataset.select(rows, "train"))
    unseen = [g for g in rows if g.measured and dataset.split_of(g.pgc) != "train" and np.isfinite(g.axis_ratio_deg)]
    off = np.array([g.axis_ratio_deg - g.inclination_deg for g in unseen])
    assert np.std(residuals(scale, unseen)) < 0.85 * np.std(off)


def test_the_human_scale_is_learned_from_how_people_read_what_the_network_read() -> None:
    read = np.linspace(46, 89, 50)
    scale = human_scale.fit_human_scale(read + 0.1 * read**2 / 90, read)
    assert scale(np.array([54.0, 72.0], np.float32)).tolist() == pytest.approx([57.24, 77.76], abs=0.01)


def test_the_human_scale_goes_on_below_what_people_measured_to_face_on_without_a_step() -> None:
    read = np.linspace(46, 89, 50)
    scale = human_scale.fit_human_scale(np.minimum(read + 3, 90), read)
    said = scale(np.linspace(0, 90, 181).astype(np.float32))
    assert said[0] == 0
    assert (np.diff(said) >= 0).all()
    assert np.abs(np.diff(said)).max() < 1


def test_only_unmeasured_galaxies_are_taken_for_rejects_by_their_catalogue_values() -> None:
    elliptical = RealGalaxy(1, Path(), float("nan"), "", stage=-3)
    face_on = replace(elliptical, stage=4, axis_ratio_deg=20)
    spiral = replace(elliptical, stage=4, axis_ratio_deg=60)
    measured = replace(elliptical, inclination_deg=55)
    dwarf = replace(spiral, stage=11)
    unknown = RealGalaxy(1, Path(), float("nan"), "")
    said = [training_data.catalogue_judgement(g) for g in (elliptical, face_on, dwarf, spiral, measured, unknown)]
    assert said == ["unsuitable", "face_on", "unsuitable", None, None, None]
