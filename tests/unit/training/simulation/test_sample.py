from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np

from training.simulation import sample, scene

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_galaxies_are_the_same_in_any_order_and_for_any_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    together = sample.simulate(seed=11, count=3)
    monkeypatch.setattr(sample, "FEW", 0)
    apart = sample.simulate(seed=11, count=3, workers=2)
    alone, row = sample.make(seed=11, index=2)
    assert (together.images == apart.images).all()
    assert together.truth == apart.truth
    assert (alone == together.images[2]).all()
    assert row == together.truth[2]


def test_what_draws_in_worker_processes_loads_no_runtime_of_networks() -> None:
    script = "import sys, training.simulation.scene; assert not {'keras', 'tensorflow', 'jax'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_another_seed_gives_other_galaxies() -> None:
    assert (sample.make(seed=11, index=0)[0] != sample.make(seed=12, index=0)[0]).any()


def test_a_saved_sample_comes_back_with_its_truth(tmp_path: Path) -> None:
    made = sample.simulate(seed=3, count=2)
    sample.save(made, tmp_path)
    found = sample.load(tmp_path)
    assert (np.asarray(found.images) == made.images).all()
    assert found.truth == made.truth


def test_a_galaxy_is_the_same_in_any_batch() -> None:
    some = [one for one in scene.draw_some(11, range(2 * sample.BATCH)) if one.side == 88][: sample.BATCH]
    together = np.asarray(sample.render(some))
    turned = np.asarray(sample.render(some[::-1]))[: len(some)]
    alone = np.asarray(sample.render(some[3:4]))
    assert (turned[::-1] == together[: len(some)]).all()
    assert (alone[0] == together[3]).all()
