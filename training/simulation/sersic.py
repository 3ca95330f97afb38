"""A Sersic profile as a sum of gaussians, which project in closed form."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import optimize


@lru_cache(maxsize=32)
def gaussians(index: float) -> tuple[tuple[float, float], ...]:
    """Return the expansion of a Sersic profile of unit flux and effective radius (Emsellem et al. 1994, A&A 285, 723).

    Gaussians project analytically, in three dimensions and for any axis ratio, as the line-of-sight integral requires.

    Returns
    -------
    tuple of (flux, sigma)
        Flux and standard deviation of each gaussian; the fluxes sum to 1.
    """
    sigmas = np.geomspace(0.03, 4, 12)
    radius = np.geomspace(0.02, 6, 200)
    b = 2 * index - 1 / 3 + 0.009876 / index  # Prugniel & Simien 1997, A&A 321, 111
    profile = np.exp(-b * radius ** (1 / index))
    basis = np.exp(-0.5 * (radius[:, None] / sigmas) ** 2) / (2 * np.pi * sigmas**2)
    weight = radius / np.sqrt(profile)
    fluxes, _ = optimize.nnls(basis * weight[:, None], profile * weight)
    fluxes /= fluxes.sum()
    return tuple((float(f), float(s)) for f, s in zip(fluxes, sigmas, strict=True) if f > 1e-4)  # negligible below
