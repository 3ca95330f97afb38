from __future__ import annotations

import numpy as np

from training.networks.batches import Mixture, Pool


def test_the_same_step_gets_the_same_batch_and_the_next_another() -> None:
    numbered = np.arange(50, dtype=np.uint8)[:, None, None, None] * np.ones((1, 128, 128, 3), np.uint8)
    pool = Pool(numbered, np.arange(50), np.arange(50, dtype=np.float32)[:, None], np.full(50, 0.02), 8, (1.0, 2.0))
    mixture = Mixture([pool, pool], seed=4)
    once, again, other = mixture(3), mixture(3), mixture(4)
    assert (once.images == again.images).all()
    assert once.images.shape == (16, 128, 128, 3)
    assert (once.images[:, 0, 0, 0] == once.targets[:, 0]).all()
    assert once.targets.tolist() != other.targets.tolist()
    assert once.widen.tolist() == [[1.0, 2.0]] * 16
