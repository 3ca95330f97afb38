from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support.networks import noise_pictures
from training.data import dataset, human_scale, training_data
from training.networks import architectures
from training.release import recipe
from training.simulation import sample, scene

if TYPE_CHECKING:
    from training.networks.batches import Pool

HOW = recipe.Recipe(batch=24, spoiled=20)


def some_of_everything() -> training_data.TrainingData:
    """Twelve measured galaxies, three rejected by people, two by catalogues, and simulated ones of both kinds."""
    measured = [dataset.RealGalaxy(n, Path(), 50.0 + 3 * n, "", stage=4) for n in range(12)]
    judged = [dataset.RealGalaxy(20 + n, Path(), float("nan"), "unsuitable", stage=4) for n in range(3)]
    listed = [dataset.RealGalaxy(30 + n, Path(), float("nan"), "", stage=-3) for n in range(2)]
    real = [*measured, *judged, *listed]
    truth: tuple[scene.Truth, ...] = tuple({"reject": "face_on" if n % 3 == 0 else ""} for n in range(6))
    truth = (*truth, {"reject": "unsuitable"})
    simulated = sample.SimulatedSample(noise_pictures(7), truth)
    return training_data.TrainingData(simulated, real, noise_pictures(len(real)))


def by_reason(pools: list[Pool]) -> dict[str, list[tuple[int, int]]]:
    """Return how many pictures the pools of each reason have, and how many of each batch they give."""
    found: dict[str, list[tuple[int, int]]] = {reason: [] for reason in architectures.REASONS}
    for pool in pools:
        assert (pool.targets == pool.targets[0]).all()
        found[architectures.REASONS[int(pool.targets[0].argmax())]].append((len(pool.targets), pool.share))
    return {reason: sorted(shares) for reason, shares in found.items()}


def test_a_rejector_sees_as_many_kept_as_rejected_pictures_and_most_of_people_s_own() -> None:
    pools = recipe.rejector_pools(HOW, some_of_everything())
    assert by_reason(pools) == {
        "": [(4, 2), (12, 10)],
        "face_on": [(2, 6)],
        "unsuitable": [(1, 1), (2, 1), (3, 3), (20, 1)],
    }


def test_without_real_galaxies_a_rejector_learns_from_simulated_ones() -> None:
    everything = some_of_everything()
    nothing_real = training_data.TrainingData(everything.simulated, [], np.empty((0, 128, 128, 3), np.uint8))
    pools = recipe.rejector_pools(HOW, nothing_real)
    assert by_reason(pools) == {"": [(4, 12)], "face_on": [(2, 6)], "unsuitable": [(1, 6)]}


def test_galaxies_made_of_two_come_from_their_bag_alone() -> None:
    # so far apart in inclination that each can be laid over itself only
    real = [dataset.RealGalaxy(n, Path(), 46.0 + 5 * n, "") for n in range(9)]
    given = training_data.TrainingData(some_of_everything().simulated, real, noise_pictures(9))
    pool = recipe.blended_pool(given, 5, count=60, bag=1, seed=1)
    members = dataset.bag(9, number=1, seed=1)
    labels = architectures.from_scale(pool.targets[:, 0], human_scale.LABEL_RANGE_DEG)
    assert {round(float(label)) for label in labels} == {46 + 5 * int(n) for n in members}
    assert len(members) < 9
    assert pool.images.shape == (60, 128, 128, 3)


def test_every_bag_meets_its_galaxies_equally_often() -> None:
    how = recipe.Recipe(finetuning_steps=1000)
    assert [recipe.steps_of(how, bag) for bag in (0, 1, 3)] == [1000, 670, 670]
    assert [recipe.steps_of(how, bag, continued=True) for bag in (0, 1)] == [500, 335]


def test_simulated_discs_below_45_deg_are_as_frequent_as_discs_that_lie_at_random() -> None:
    inclinations = [10.0, 30.0, 45.0, 80.0]
    truth: tuple[scene.Truth, ...] = tuple(
        {"reject": "", "inclination_deg": one, "human_deg": one} for one in inclinations
    )
    pool = recipe.simulated_pool(sample.SimulatedSample(noise_pictures(4), truth), 8, human_scale.HumanScale())
    expected = np.minimum(np.sin(np.radians(inclinations)) / np.sin(np.radians(45)), 1)
    assert (pool.rates / pool.rates[-1]).tolist() == pytest.approx(expected.tolist())
    labels = architectures.from_scale(pool.targets[:, 0], human_scale.LABEL_RANGE_DEG)
    assert labels.tolist() == pytest.approx(inclinations, abs=1e-3)
