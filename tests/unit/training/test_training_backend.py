"""TensorFlow and JAX make and learn the same: each in a process of its own, as Keras has one backend."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.networks import TINY
from training.networks import architectures

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEARN = """
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.support.networks import TINY, noise_pictures
from training.networks import architectures
from training.networks.batches import Mixture, Pool
from training.networks.train import Plan, fit, predict

start, out = map(Path, sys.argv[1:])
network = architectures.build(replace(TINY, dropout=0.0), "inclination", seed=1)
for variable, weights in zip(network.trainable_variables, np.load(start).values(), strict=True):
    variable.assign(weights)
targets = np.linspace(-1, 1, 8, dtype=np.float32)[:, None]
pool = Pool(noise_pictures(8), np.arange(8), targets, np.full(8, 1 / 8), 4, (1.0, 2.0))
fit(network, Mixture([pool], 3), Plan(steps=5, rate=1e-2, seed=5, warmup=2, snapshot_every=2), out)
np.save(out / "said.npy", predict(network, noise_pictures(4)))
"""


def run(backend: str, script: str, *paths: Path) -> None:
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(Path.cwd()), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, paths)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def learn(backend: str, start: Path, out: Path) -> NDArray[Any]:
    run(backend, _LEARN, start, out)
    return np.asarray(np.load(out / "said.npy"))


@pytest.mark.timeout(300)
def test_jax_learns_what_tensorflow_learns(tmp_path: Path) -> None:
    network = architectures.build(TINY, "inclination", seed=1)
    start = tmp_path / "start.npz"
    np.savez(start, *(np.asarray(variable) for variable in network.trainable_variables))
    said = {name: learn(name, start, tmp_path / name) for name in ("tensorflow", "jax")}
    with np.load(start) as began:
        for name in said:
            with np.load(tmp_path / name / "snapshot.npz") as ended:
                assert np.abs(ended["v0"] - began["arr_0"]).max() > 1e-3
    np.testing.assert_allclose(said["jax"], said["tensorflow"], atol=2e-3)


_PHOTOGRAPH = """
import sys

import numpy as np

from training.simulation import sample, scene

some = scene.draw_some(5, range(40))
for side in (88, 128):
    batch = [one for one in some if one.side == side][: sample.BATCH // 2]
    np.save(f"{sys.argv[1]}/{side}.npy", np.asarray(sample.photograph(batch))[: len(batch)])
"""


@pytest.mark.timeout(300)
def test_jax_simulates_the_pictures_that_tensorflow_does(tmp_path: Path) -> None:
    for backend in ("tensorflow", "jax"):
        (tmp_path / backend).mkdir()
        run(backend, _PHOTOGRAPH, tmp_path / backend)
    for side in (88, 128):
        ours, theirs = (np.load(tmp_path / name / f"{side}.npy").astype(int) for name in ("tensorflow", "jax"))
        assert ours.std() > 20
        apart = np.abs(ours - theirs)
        assert np.mean(apart > 0) < 0.01
        assert np.quantile(apart, 0.9999) <= 1
