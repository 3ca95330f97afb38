from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from training import networks, recipe, sample, workshop
from training.material import Places

if TYPE_CHECKING:
    from pathlib import Path

HOW = recipe.Recipe(
    seed=5,
    architectures=("vgg7",),
    bags=2,
    simulated=40,
    pretraining_steps=2,
    finetuning_steps=2,
    rejector_steps=2,
    pretraining_batch=4,
    batch=4,
)


def places(folder: Path) -> Places:
    where = Places(
        tables=(), set_aside=(), runs=folder, model_repo=folder / "repo", models_config=folder / "models.config"
    )
    if not where.simulated.exists():
        sample.save(sample.simulate(seed=HOW.seed, count=HOW.simulated), where.simulated)
    return where


def silent(_what: str, _metrics: dict[str, float]) -> None:
    pass


def complain(what: str, metrics: dict[str, float]) -> None:
    if what == "vgg7_m1" and metrics["step"] == 1:
        raise RuntimeError("the disk is full")


def weights(network: object) -> np.ndarray:
    return np.concatenate([np.ravel(w) for w in network.get_weights()])  # type: ignore[attr-defined]


def untrained(name: str) -> np.ndarray:
    """The weights with which a network began: those of the pretrained one, but for a rejector's last layer."""
    architecture = networks.ARCHITECTURES["vgg7"]
    network = networks.build(architecture, "inclination", seed=HOW.seed)
    if not name.endswith("reject"):
        return weights(network)
    twin = networks.build(architecture, "rejection", seed=recipe.seed_of(HOW, None))
    networks.warm_start(twin, network)
    return weights(twin)


@pytest.mark.timeout(300)
def test_networks_learn_the_same_side_by_side_as_one_after_another(tmp_path: Path) -> None:
    alone = workshop.train_all(HOW, places(tmp_path / "alone"), workers=1, resume=False, say=silent)
    beside = workshop.train_all(HOW, places(tmp_path / "beside"), workers=2, resume=False, say=silent)
    assert list(alone) == list(beside) == ["vgg7_m0", "vgg7_m1", "vgg7_reject"]
    for name, network in alone.items():
        # sums on other numbers of threads are taken in other orders, and bfloat16 rounds coarsely
        mine, theirs = (weights(one) - untrained(name) for one in (network, beside[name]))
        assert np.abs(mine).max() > 1e-5
        assert np.corrcoef(mine, theirs)[0, 1] > 0.9
    assert np.abs(weights(alone["vgg7_m0"]) - weights(alone["vgg7_m1"])).max() > 1e-5


@pytest.mark.timeout(300)
def test_a_network_that_fails_ends_the_training_of_all_and_says_why(tmp_path: Path) -> None:
    where = places(tmp_path)
    with pytest.raises(RuntimeError, match="the disk is full"):
        workshop.train_all(HOW, where, workers=2, resume=False, say=complain)
    assert not multiprocessing.active_children()
    finished = workshop.train_all(HOW, where, workers=2, resume=True, say=silent)
    assert list(finished) == ["vgg7_m0", "vgg7_m1", "vgg7_reject"]
