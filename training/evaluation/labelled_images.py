"""The pictures that a release is measured on: read, fitted with an ellipse, turned; failures are listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from gateway.core.errors import GatewayError
from gateway.core.manifest import INPUT_SHAPE
from gateway.images.decode import decode
from gateway.images.ellipse import fit_ellipse, inclination_deg
from gateway.images.model_input import model_input

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from training.data.dataset import RealGalaxy
    from training.evaluation.evaluate import Predictions

_TURNED_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Galaxies with a human judgement and a readable picture.

    Attributes
    ----------
    galaxies : tuple of RealGalaxy
        N galaxies.
    inputs : uint8 ``[N, 128, 128, 3]``
        Model inputs of the galaxies.
    ellipticity_deg : float64 ``[N]``
        Inclination from the ellipse fitted to the unturned picture, NaN where none could be fitted.
    missing : tuple of str
        Files of the table that do not exist.
    unreadable : dict of str
        Reasons by file, for files that could not be read as pictures.
    unjudged : int
        Rows without a human judgement, and that were not wanted.
    """

    galaxies: tuple[RealGalaxy, ...]
    inputs: NDArray[np.uint8]
    ellipticity_deg: NDArray[np.float64]
    missing: tuple[str, ...]
    unreadable: dict[str, str]
    unjudged: int

    def counted(self) -> dict[str, Any]:
        """Return the report's facts about the sample."""
        return {
            "measured": sum(g.measured for g in self.galaxies),
            "rejected": sum(g.reject != "" for g in self.galaxies),
            "unjudged": self.unjudged,
            "without_ellipse": int(np.isnan(self.ellipticity_deg).sum()),
            "missing": list(self.missing),
            "unreadable": self.unreadable,
        }


def read(galaxies: Sequence[RealGalaxy], wanted: Callable[[RealGalaxy], bool] = lambda _: False) -> LabelledImages:
    """Read the pictures of galaxies with a human judgement, or that are ``wanted`` for another reason.

    Pictures that can't be read are left out and listed.
    """
    judged = [g for g in galaxies if g.measured or g.reject or wanted(g)]
    kept: list[RealGalaxy] = []
    inputs, inclinations = np.empty((len(judged), *INPUT_SHAPE), np.uint8), []
    missing: list[str] = []
    unreadable: dict[str, str] = {}
    for galaxy in judged:
        try:
            rgb = decode(galaxy.path.read_bytes()).rgb
        except FileNotFoundError:
            missing.append(str(galaxy.path))
        except OSError as error:
            unreadable[str(galaxy.path)] = f"The file can't be read: {error.strerror}."
        except GatewayError as error:
            unreadable[str(galaxy.path)] = str(error)
        else:
            inputs[len(kept)] = model_input(rgb)
            kept.append(galaxy)
            inclinations.append(_ellipticity_deg(rgb))
    return LabelledImages(
        tuple(kept),
        inputs[: len(kept)],
        np.array(inclinations, np.float64),
        tuple(missing),
        unreadable,
        len(galaxies) - len(judged),
    )


def _ellipticity_deg(rgb: NDArray[np.uint8]) -> float:
    ellipse = fit_ellipse(rgb)
    return float("nan") if ellipse is None else inclination_deg(min(ellipse.axis_ratio, 1.0))


def turned(rgb: NDArray[np.uint8], angle_deg: float, *, mirror: bool) -> NDArray[np.uint8]:
    """Turn a picture about its centre, at the same scale and in the same frame.

    The empty corners are filled with pixels of the picture's own border, without stars, so that their sky has the right
    colour and noise.

    Parameters
    ----------
    rgb : uint8 ``[H, W, 3]``
    angle_deg : float
        Angle, counter-clockwise.
    mirror : bool
        Whether left and right are exchanged first.
    """
    border = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    off = np.abs(border.astype(np.float32) - np.median(border, axis=0)).max(axis=1)
    sky = border[off <= np.quantile(off, 0.8)]
    rng = np.random.default_rng(len(border))
    fill = Image.fromarray(sky[rng.integers(0, len(sky), rgb.shape[:2])])
    image = Image.fromarray(rgb[:, ::-1] if mirror else rgb)
    mask = Image.new("L", image.size, 255).rotate(angle_deg, Image.Resampling.BILINEAR)
    image = image.rotate(angle_deg, Image.Resampling.BILINEAR)
    return np.asarray(Image.composite(image, fill, mask))


def orientation(
    galaxies: Sequence[RealGalaxy], ask: Callable[[NDArray[np.uint8]], Predictions], turns: int
) -> dict[str, Any]:
    """Measure how much the ensemble's median depends on the orientation of the picture.

    Every measured galaxy is shown ``turns`` times, at angles that divide the circle evenly, every other time mirrored.

    Parameters
    ----------
    galaxies : sequence of RealGalaxy
        Galaxies with readable pictures.
    ask : callable
        Returns predictions for model inputs.
    turns : int
        Number of orientations, at least two.

    Returns
    -------
    dict
        ``turns``, ``galaxies``; over the galaxies ``median_stdev_deg`` and ``p90_stdev_deg`` of the sample standard
        deviation of each one's answers, ``median_range_deg`` between the largest and the smallest; ``worst`` {``file``,
        ``range_deg``}. Empty when no galaxy was measured.
    """
    measured = [g for g in galaxies if g.measured]
    if not measured:
        return {}
    angles = np.arange(turns) * 360 / turns
    answers = []
    for at in range(0, len(measured), _TURNED_AT_ONCE):
        shown = [
            model_input(turned(rgb, float(angle), mirror=number % 2 == 1))
            for rgb in (decode(g.path.read_bytes()).rgb for g in measured[at : at + _TURNED_AT_ONCE])
            for number, angle in enumerate(angles)
        ]
        answers.append(ask(np.stack(shown)).median.reshape(-1, turns))
    said = np.concatenate(answers)
    stdev, extent = said.std(axis=1, ddof=1), np.ptp(said, axis=1)
    worst = int(extent.argmax())
    return {
        "turns": turns,
        "galaxies": len(measured),
        "median_stdev_deg": float(np.median(stdev)),
        "p90_stdev_deg": float(np.quantile(stdev, 0.9)),
        "median_range_deg": float(np.median(extent)),
        "worst": {"file": measured[worst].path.name, "range_deg": float(extent[worst])},
    }
