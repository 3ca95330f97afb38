"""TensorFlow and JAX make and learn the same. Keras has one backend in a process, so JAX works in another."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.support import backends
from training.networks import architectures

if TYPE_CHECKING:
    from pathlib import Path

_AS_JAX = """
import sys
from pathlib import Path

import keras
import numpy as np

from tests.support import backends

assert keras.backend.backend() == "jax"
folder = Path(sys.argv[1])
np.save(folder / "pictures.npy", backends.pictures())
np.save(folder / "said.npy", backends.learn(folder, interrupted=True))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_jax_makes_and_learns_what_tensorflow_does_also_interrupted(tmp_path: Path) -> None:
    network = architectures.build(backends.NETWORK, "inclination", seed=1)
    start = [np.asarray(variable) for variable in network.trainable_variables]
    ours, theirs = tmp_path / "tensorflow", tmp_path / "jax"
    for folder in (ours, theirs):
        folder.mkdir()
        np.savez(folder / "start.npz", *start)
    said = backends.learn(ours)
    command = [sys.executable, "-c", _AS_JAX, str(theirs)]
    done = subprocess.run(command, env=backends.as_jax(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for folder in (ours, theirs):
        with np.load(folder / "snapshot.npz") as ended:
            assert np.abs(ended["v0"] - start[0]).max() > 1e-3
    np.testing.assert_allclose(np.load(theirs / "said.npy"), said, atol=2e-3)
    pictures = backends.pictures().astype(int)
    assert pictures.std() > 20
    apart = np.abs(pictures - np.load(theirs / "pictures.npy"))
    assert np.mean(apart > 0) < 0.01
    assert np.quantile(apart, 0.9999) <= 1
