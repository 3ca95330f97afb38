"""Tests the networks on one galaxy as different imaging surveys show it: simulated, since no labels exist for this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from training.evaluation import metrics
from training.simulation import sample, scene
from training.simulation.surveys import SURVEYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from training.evaluation.evaluate import Predictions

SEED = 7_000_000


def pictures(count: int, survey: str) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Return model inputs of galaxies in a survey's images, and their inclinations on the human scale.

    Returns
    -------
    uint8 ``[N, 128, 128, 3]``, float64 ``[N]``
        N is below ``count``, because unsuitable galaxies are left out, the same ones for every survey.
    """
    drawn = [scene.draw(SEED, index, survey) for index in range(count)]
    suited = [one for one in drawn if one.truth["reject"] != "unsuitable"]
    made: dict[int, NDArray[np.uint8]] = {}
    for side in sorted({one.side for one in suited}):
        of_side = [one for one in suited if one.side == side]
        for first in range(0, len(of_side), sample.BATCH):
            batch = of_side[first : first + sample.BATCH]
            inputs = sample.model_inputs(batch, sample.render(batch))
            made |= {one.index: picture for one, picture in zip(batch, inputs, strict=True)}
    truth = np.array([one.truth["human_deg"] for one in suited], np.float64)
    return np.stack([made[one.index] for one in suited]), truth


def compare(ask: Callable[[NDArray[np.uint8]], Predictions], count: int) -> dict[str, Any]:
    """Run the networks on galaxies as every survey shows them.

    Returns
    -------
    dict
        ``by_survey``: :func:`training.evaluation.metrics.residuals` by survey. ``spread_deg``: the root mean square,
        over galaxies, of the standard deviation of one galaxy's answers.
    """
    said, found = [], {}
    for name in SURVEYS:
        images, truth = pictures(count, name)
        said.append(ask(images).median)
        found[name] = metrics.residuals(truth, said[-1])
    return {"by_survey": found, "spread_deg": float(np.sqrt(np.mean(np.var(said, axis=0, ddof=1))))}
