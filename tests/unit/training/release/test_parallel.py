from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from tests.support.networks import TINY_RECIPE, paths_in, quiet
from tests.support.waiting import wait_until
from training.release import parallel

if TYPE_CHECKING:
    from gateway.core.manifest import Manifest
    from training.data.training_data import ReleasePaths


def complain(what: str, metrics: dict[str, float]) -> None:
    if what == "tiny1_m0" and metrics["step"] == 1:
        raise RuntimeError("the disk is full")


def refuse(what: str, _metrics: dict[str, float]) -> None:
    raise AssertionError(f"{what} was trained again")


@pytest.mark.timeout(300)
def test_networks_that_learn_side_by_side_and_are_resumed_after_a_failure_are_those_that_learned_one_after_another(
    tiny_release: tuple[Manifest, ReleasePaths], tmp_path: Path
) -> None:
    paths = paths_in(tmp_path)
    with pytest.raises(RuntimeError, match="the disk is full"):
        parallel.train_all(TINY_RECIPE, paths, workers=2, resume=False, say=complain)
    assert not multiprocessing.active_children()
    beside = parallel.train_all(TINY_RECIPE, paths, workers=2, resume=True, say=quiet)
    assert list(beside) == ["tiny1_m0", "tiny1_m1", "tiny1_reject"]
    alone = parallel.train_all(TINY_RECIPE, tiny_release[1], workers=1, resume=True, say=refuse)
    for name, network in alone.items():
        for mine, theirs in zip(network.get_weights(), beside[name].get_weights(), strict=True):
            # sums on other numbers of threads are taken in other orders
            np.testing.assert_allclose(mine, theirs, atol=1e-5)
    assert any((a != b).any() for a, b in zip(*(alone[n].get_weights() for n in ("tiny1_m0", "tiny1_m1")), strict=True))
    # what is finished is taken as it is, also where only the finished networks were brought
    shutil.rmtree(paths.runs / "tiny1_pretrained")
    again = parallel.train_all(TINY_RECIPE, paths, workers=2, resume=True, say=refuse)
    assert (again["tiny1_m0"].get_weights()[0] == beside["tiny1_m0"].get_weights()[0]).all()


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


@pytest.mark.timeout(300)
def test_networks_stop_learning_when_whoever_asked_for_them_is_killed(
    tiny_release: tuple[Manifest, ReleasePaths], tmp_path: Path
) -> None:
    runs = paths_in(tmp_path).runs
    shutil.copytree(tiny_release[1].simulated, runs / "simulated")
    script = tmp_path / "endless.py"
    script.write_text(_ENDLESS)
    asking = psutil.Popen(
        [sys.executable, str(script), str(tmp_path)], env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    logs = [runs / f"{name}_pretrained" / "metrics.jsonl" for name in ("tiny1", "tiny2")]
    wait_until(lambda: all(log.exists() for log in logs) or not asking.is_running(), "both to be trained", 240)
    assert asking.is_running(), "it ended before it had begun"
    workers = [one for one in asking.children() if "spawn_main" in " ".join(one.cmdline())]
    asking.kill()
    gone, alive = psutil.wait_procs([asking, *workers], timeout=120)
    assert not alive
    assert len(gone) == 3
