"""Networks that learn in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.backends import as_jax
from tests.support.networks import paths_in, write_noise_sample
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


_SIDE_BY_SIDE = """
import multiprocessing
import shutil
import sys
from pathlib import Path

import numpy as np

from tests.support.networks import TINY_RECIPE, paths_in, quiet, write_noise_sample
from training.release import parallel


def complain(what, metrics):
    # the last of them, so that one process is enough to go on
    if what == "tiny1_reject" and metrics["step"] == 1:
        raise RuntimeError("the disk is full")


def refuse(what, _metrics):
    raise AssertionError(f"{what} was trained again")


if __name__ == "__main__":
    one, two = paths_in(Path(sys.argv[1]) / "one"), paths_in(Path(sys.argv[1]) / "two")
    for paths in (one, two):
        write_noise_sample(paths.simulated)
    alone = parallel.train_all(TINY_RECIPE, one, workers=1, resume=True, say=quiet)
    try:
        parallel.train_all(TINY_RECIPE, two, workers=2, resume=True, say=complain)
    except RuntimeError as error:
        assert str(error) == "the disk is full", error
    else:
        raise AssertionError("the failure was not told")
    assert not multiprocessing.active_children()
    beside = parallel.train_all(TINY_RECIPE, two, workers=2, resume=True, say=quiet)
    assert list(beside) == ["tiny1_m0", "tiny1_m1", "tiny1_reject"], list(beside)
    for name, network in alone.items():
        for mine, theirs in zip(network.get_weights(), beside[name].get_weights(), strict=True):
            # sums on other numbers of threads are taken in other orders
            np.testing.assert_allclose(mine, theirs, atol=1e-5)
    weights = zip(*(alone[name].get_weights() for name in ("tiny1_m0", "tiny1_m1")), strict=True)
    assert any((mine != theirs).any() for mine, theirs in weights)
    # what is finished is taken as it is, also where only the finished networks were brought
    shutil.rmtree(two.runs / "tiny1_pretrained")
    again = parallel.train_all(TINY_RECIPE, two, workers=2, resume=True, say=refuse)
    assert (again["tiny1_m0"].get_weights()[0] == beside["tiny1_m0"].get_weights()[0]).all()
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_networks_that_learn_side_by_side_and_are_resumed_after_a_failure_are_those_that_learned_one_after_another(
    tmp_path: Path,
) -> None:
    script = tmp_path / "side_by_side.py"
    script.write_text(_SIDE_BY_SIDE)
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, env=as_jax(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


_ENDLESS = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.support.networks import TINY, TINY_RECIPE, paths_in, quiet
from training.release import parallel

if __name__ == "__main__":
    two = (TINY, replace(TINY, name="tiny2"))
    how = replace(TINY_RECIPE, pretraining_steps=1_000_000, architectures=two)
    parallel.train_all(how, paths_in(Path(sys.argv[1])), workers=2, resume=True, say=quiet)
"""


@pytest.mark.timeout(900)
def test_networks_stop_learning_when_whoever_asked_for_them_is_killed(tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    write_noise_sample(paths.simulated)
    script = tmp_path / "endless.py"
    script.write_text(_ENDLESS)
    asking = psutil.Popen([sys.executable, str(script), str(tmp_path)], env=as_jax(tmp_path))
    logs = [paths.runs / f"{name}_pretrained" / "metrics.jsonl" for name in ("tiny1", "tiny2")]
    wait_until(lambda: all(log.exists() for log in logs) or not asking.is_running(), "both to be trained", 600)
    assert asking.is_running(), "it ended before it had begun"
    workers = [one for one in asking.children() if "spawn_main" in " ".join(one.cmdline())]
    asking.kill()
    gone, alive = psutil.wait_procs([asking, *workers], timeout=120)
    assert not alive
    assert len(gone) == 3
