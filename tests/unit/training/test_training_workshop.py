from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from training.data.training_data import Places
from training.networks import architectures
from training.release import parallel, recipe
from training.simulation import sample

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
    if what == "vgg7_m0" and metrics["step"] == 1:
        raise RuntimeError("the disk is full")


def refuse(what: str, _metrics: dict[str, float]) -> None:
    raise AssertionError(f"{what} was trained again")


def weights(network: Any) -> np.ndarray:
    return np.concatenate([np.ravel(w) for w in network.get_weights()])


def untrained(name: str) -> np.ndarray:
    """The weights with which a network began: those of the pretrained one, but for a rejector's last layer."""
    architecture = architectures.ARCHITECTURES["vgg7"]
    network = architectures.build(architecture, "inclination", seed=HOW.seed)
    if not name.endswith("reject"):
        return weights(network)
    twin = architectures.build(architecture, "rejection", seed=recipe.seed_of(HOW, None))
    architectures.warm_start(twin, network)
    return weights(twin)


@pytest.mark.timeout(300)
def test_networks_learn_the_same_side_by_side_as_one_after_another(tmp_path: Path) -> None:
    alone = parallel.train_all(HOW, places(tmp_path / "alone"), workers=1, resume=False, say=silent)
    beside = parallel.train_all(HOW, places(tmp_path / "beside"), workers=2, resume=False, say=silent)
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
        parallel.train_all(HOW, where, workers=2, resume=False, say=complain)
    assert not multiprocessing.active_children()
    finished = parallel.train_all(HOW, where, workers=2, resume=True, say=silent)
    assert list(finished) == ["vgg7_m0", "vgg7_m1", "vgg7_reject"]
    # what is finished is taken as it is, also where only the finished networks were brought
    shutil.rmtree(where.runs / "vgg7_pretrained")
    again = parallel.train_all(HOW, where, workers=2, resume=True, say=refuse)
    assert all((weights(again[name]) == weights(network)).all() for name, network in finished.items())


_ENDLESS = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.unit.training.test_training_workshop import HOW, places, silent
from training.release import parallel

if __name__ == "__main__":
    how = replace(HOW, pretraining_steps=1_000_000, architectures=("vgg7", "vgg9"))
    parallel.train_all(how, places(Path(sys.argv[1])), workers=2, resume=False, say=silent)
"""


@pytest.mark.timeout(300)
def test_networks_stop_learning_when_whoever_asked_for_them_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(_ENDLESS)
    asking = psutil.Popen(
        [sys.executable, str(script), str(tmp_path)], env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    logs = [tmp_path / f"{name}_pretrained" / "metrics.jsonl" for name in ("vgg7", "vgg9")]
    while not all(log.exists() for log in logs):
        assert asking.is_running(), "it ended before it had begun"
        time.sleep(0.2)
    workers = [one for one in asking.children() if "spawn_main" in " ".join(one.cmdline())]
    asking.kill()
    gone, alive = psutil.wait_procs([asking, *workers], timeout=120)
    assert not alive
    assert len(gone) == 3
