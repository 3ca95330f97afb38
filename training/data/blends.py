"""Makes galaxies of two that people measured alike, laid over each other along their major axes.

A thousand measured galaxies are few. Two discs of nearly one inclination, turned, moved and scaled onto each other,
look like a disc of that inclination with the bulge, arms and dust of both: the human label is known, and the picture
has the signs of the inclination twice. Mixing pictures of similar labels helps regression, mixing any two does not
(C-Mixup; Yao et al. 2022, NeurIPS 35).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from gateway.images.ellipse import fit_ellipse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gateway.core.models import Ellipse

ALIKE_DEG = 3.0
"""Largest difference of the two inclinations, degrees."""

_SCALES = (0.75, 1.33)
_SHARES = (0.3, 0.7)
_EDGE = 8.0


def blend(
    images: NDArray[np.uint8], labels_deg: NDArray[np.float32], rates: NDArray[np.float64], *, count: int, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return galaxies made of pairs of measured ones.

    Parameters
    ----------
    images : uint8 ``[N, 128, 128, 3]``
    labels_deg : float32 ``[N]``
    rates : float64 ``[N]``
        Probabilities of the first of each pair, summing to 1. The second is any galaxy of nearly its inclination.
    count, seed : int
        Number of galaxies to make, and seed of the random generator.

    Returns
    -------
    uint8 ``[count, 128, 128, 3]``, float32 ``[count]``
        Model inputs, and the inclinations that people would measure in them.
    """
    ellipses = [fit_ellipse(image) for image in images]
    order = np.argsort(labels_deg, kind="stable")
    ordered = labels_deg[order]
    made, labels = np.empty((count, *images.shape[1:]), np.uint8), np.empty(count, np.float32)
    for place in range(count):
        rng = np.random.default_rng(np.random.SeedSequence([seed, place]))
        one = int(rng.choice(len(images), p=rates))
        low, high = np.searchsorted(ordered, [labels_deg[one] - ALIKE_DEG, labels_deg[one] + ALIKE_DEG], side="left")
        other = int(order[rng.integers(low, max(high, low + 1))])
        share = rng.uniform(*_SHARES)
        made[place] = _laid_over(images, ellipses, (one, other), share, rng)
        labels[place] = (1 - share) * labels_deg[one] + share * labels_deg[other]
    return made, labels


def _laid_over(
    images: NDArray[np.uint8],
    ellipses: list[Ellipse | None],
    pair: tuple[int, int],
    share: float,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    one, other = (images[place].astype(np.float32) for place in pair)
    below, above = (ellipses[place] for place in pair)
    side = one.shape[0]
    centre = np.full(2, (side - 1) / 2)
    if below is None or above is None:
        turn, scale, to, origin = np.eye(2), 1.0, centre, centre
    else:
        to, origin = (np.array([e.y, e.x]) * side - 0.5 for e in (below, above))
        scale = float(np.clip(above.semi_major / below.semi_major, *_SCALES))
        # along the major axis either way, and on either side of it: (rows, columns), angles counter-clockwise
        flips = np.diag(rng.choice([-1, 1], 2))
        turn = _axes(above.angle_deg) @ flips @ _axes(below.angle_deg).T
    shift = origin - scale * turn @ to
    planes = [ndimage.affine_transform(other[..., n], scale * turn, shift, order=1, mode="nearest") for n in range(3)]
    rows, columns = np.mgrid[:side, :side]
    source = np.tensordot(scale * turn, np.stack([rows, columns]), 1) + shift[:, None, None]
    inside = np.minimum(source, side - 1 - source).min(axis=0)
    weight = np.float32(share) * np.clip(inside / _EDGE, 0, 1)[..., None].astype(np.float32)
    mixed = (1 - weight) * one + weight * np.stack(planes, axis=-1)
    return np.asarray(np.rint(np.clip(mixed, 0, 255)), np.uint8)


def _axes(angle_deg: float) -> NDArray[np.float64]:
    """Return the major and minor axis as columns of (row, column); the angle is counter-clockwise from +x."""
    angle = np.radians(angle_deg)
    return np.array([[-np.sin(angle), np.cos(angle)], [np.cos(angle), np.sin(angle)]])
