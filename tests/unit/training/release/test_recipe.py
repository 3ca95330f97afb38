from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.networks import noise_pictures
from training.data import dataset, human_scale, training_data
from training.networks import architectures
from training.release import recipe
from training.simulation import sample, scene

HOW = recipe.Recipe(batch=24, spoiled=20)


def some_of_everything() -> training_data.TrainingData:
    """Twelve measured galaxies, three rejected by people, two by catalogues, and simulated ones of both kinds."""
    measured = [dataset.RealGalaxy(n, Path(), 50.0 + 3 * n, "", stage=4) for n in range(12)]
    judged = [dataset.RealGalaxy(20 + n, Path(), float("nan"), "unsuitable", stage=4) for n in range(3)]
    listed = [dataset.RealGalaxy(30 + n, Path(), float("nan"), "", stage=-3) for n in range(2)]
    real = [*measured, *judged, *listed]
    truth: tuple[scene.Truth, ...] = tuple({"reject": "face_on" if n % 3 == 0 else ""} for n in range(6))
    simulated = sample.SimulatedSample(noise_pictures(6), truth)
    return training_data.TrainingData(simulated, real, noise_pictures(len(real)))


def test_a_rejector_sees_as_many_kept_as_rejected_pictures_and_most_of_people_s_own() -> None:
    pools = recipe.rejector_pools(HOW, some_of_everything())
    shares = [(int(pool.targets[0, 1]), len(pool.targets), pool.share) for pool in pools]
    assert sorted(shares) == [(0, 4, 2), (0, 12, 10), (1, 2, 2), (1, 2, 2), (1, 3, 6), (1, 20, 2)]


def test_without_real_galaxies_a_rejector_learns_from_simulated_ones() -> None:
    everything = some_of_everything()
    nothing_real = training_data.TrainingData(everything.simulated, [], np.empty((0, 128, 128, 3), np.uint8))
    pools = recipe.rejector_pools(HOW, nothing_real)
    assert [(int(pool.targets[0, 1]), len(pool.targets), pool.share) for pool in pools] == [(0, 4, 12), (1, 2, 12)]


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
