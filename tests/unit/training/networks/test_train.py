from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gateway.core.manifest import INPUT_SHAPE
from tests.support.networks import TINY, noise_pictures
from training.networks import architectures
from training.networks.batches import Mixture, Pool
from training.networks.train import Schedule, fit, inclination_loss

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def batches() -> Mixture:
    images = noise_pictures(12)
    targets = np.linspace(-1, 1, 12, dtype=np.float32)[:, None]
    return Mixture([Pool(images, np.arange(12), targets, np.full(12, 1 / 12), 4, (1.0, 1.5))], seed=3)


def test_an_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(tmp_path: Path) -> None:
    schedule = Schedule(steps=6, rate=1e-2, seed=5, warmup=2, snapshot_every=2)
    whole = architectures.build(TINY, "inclination", seed=1)
    fit(whole, batches(), schedule, tmp_path / "whole")

    class StoppedShort(Exception):
        pass

    def kill_at_step_4(metrics: dict[str, float]) -> None:
        if metrics["step"] == 4:
            raise StoppedShort

    with pytest.raises(StoppedShort):
        fit(
            architectures.build(TINY, "inclination", seed=1),
            batches(),
            schedule,
            tmp_path / "cut",
            progress=kill_at_step_4,
        )
    again = architectures.build(TINY, "inclination", seed=99)
    fit(again, batches(), schedule, tmp_path / "cut", resume=True)
    for mine, theirs in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    lines = [json.loads(line) for line in (tmp_path / "cut" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(6))


def test_training_learns_what_the_pictures_say(tmp_path: Path) -> None:
    images = np.zeros((2, *INPUT_SHAPE), np.uint8)
    images[0, 40:88, 40:88], images[1, 60:68, 30:98] = 200, 200
    pool = Pool(images, np.arange(2), np.array([[-0.8], [0.8]], np.float32), np.full(2, 0.5), 8, (1.0, 1.1))
    architecture = architectures.Architecture("small", ((8,), (8,), (8,), (8,)), hidden=16, dropout=0.0)
    network = architectures.build(architecture, "inclination", seed=1)
    fit(network, Mixture([pool], 1), Schedule(steps=60, rate=5e-3, seed=1, warmup=5), tmp_path)
    losses = [json.loads(line)["loss"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:5])


def test_a_degree_counts_more_where_labels_scatter_less() -> None:
    targets = architectures.to_scale(np.array([[20.0], [50.0], [70.0], [88.0]], np.float32), (0.0, 90.0))
    degree = np.float32(1 / 45)
    above, below = (np.asarray(inclination_loss(targets, targets + sign * degree)) for sign in (1, -1))
    assert np.asarray(inclination_loss(targets, targets)).tolist() == [0] * 4
    assert (np.diff(above) > 0).all()
    np.testing.assert_allclose(above, below, rtol=1e-5)


def test_a_label_far_from_all_others_does_not_drown_them() -> None:
    targets = np.zeros((2, 1), np.float32)
    near, far = np.asarray(inclination_loss(targets, np.array([[0.4], [0.8]], np.float32)))
    assert near < far < 2.5 * near
