from __future__ import annotations

import numpy as np
import pytest

from tests.support.pictures import disc
from training.data import rejects


def kept(count: int = 6) -> np.ndarray:
    return np.stack([disc(128, 0.3 + 0.1 * n) for n in range(count)])


def light(picture: np.ndarray) -> np.ndarray:
    # the sky of kept() is at 12
    return np.asarray(np.maximum(np.asarray(picture, np.float64).mean(axis=2) - 20, 0))


def test_the_same_seed_makes_the_same_pictures_and_another_others() -> None:
    once = rejects.spoil(kept(), count=8, seed=3)
    assert once.dtype == np.uint8
    assert once.shape == (8, 128, 128, 3)
    assert np.array_equal(once, rejects.spoil(kept(), count=8, seed=3))
    assert np.array_equal(once[:5], rejects.spoil(kept(), count=5, seed=3))
    assert not np.array_equal(once, rejects.spoil(kept(), count=8, seed=4))


def test_none_of_them_is_a_picture_that_was_kept() -> None:
    pictures = kept()
    for made in rejects.spoil(pictures, count=30, seed=1):
        nearest = min(np.abs(made.astype(float) - picture).mean() for picture in pictures)
        assert nearest > 0.5


def test_a_crowded_picture_holds_the_light_of_both_galaxies_and_the_other_off_the_centre() -> None:
    one, other = kept()[0].astype(np.float32), kept()[4].astype(np.float32)
    for seed in range(6):
        changed = rejects.crowded(one, other, np.random.default_rng(seed))
        added = light(changed) - light(one)
        assert added.min() > -1e-6
        assert added.sum() > 0.1 * light(other).sum()
        rows, columns = np.mgrid[:128, :128]
        centre = [(added * place).sum() / added.sum() - 63.5 for place in (rows, columns)]
        assert np.hypot(*centre) > 8


def test_a_disturbed_picture_is_no_longer_symmetric_about_its_centre() -> None:
    one = kept()[1].astype(np.float32)

    def asymmetry(picture: np.ndarray) -> float:
        shown = light(picture)
        return float(np.abs(shown - shown[::-1, ::-1]).sum() / shown.sum())

    for seed in range(6):
        assert asymmetry(rejects.disturbed(one, np.random.default_rng(seed))) > asymmetry(one) + 0.1


def test_a_faint_picture_is_near_its_noise() -> None:
    one = kept()[2].astype(np.float32)
    for seed in range(6):
        changed = rejects.faint(one, np.random.default_rng(seed)).mean(axis=2)
        noise = changed[:8].std()
        assert noise > 2
        assert np.quantile(changed, 0.98) - np.median(changed) < 25 * noise


@pytest.mark.parametrize("seed", range(4))
def test_a_spoiled_picture_has_a_saturated_star_beside_the_centre(seed: int) -> None:
    changed = rejects.spoiled(kept()[3].astype(np.float32), np.random.default_rng(seed))
    brightest = np.argwhere(changed[..., 0] > 300)
    assert len(brightest) > 5
    away = np.hypot(*(brightest.mean(axis=0) - 63.5))
    assert 6 < away < 60
