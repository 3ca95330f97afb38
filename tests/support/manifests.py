"""Manifests for tests."""

from __future__ import annotations

from gateway.core.manifest import Calibration, Flavor, Manifest, Quantiles, Rejector


def calibration(*, narrow: float = 1.0, wide: float = 2.0, below: float = 1.5, floor_deg: float = 2.0) -> Calibration:
    """Return a calibration that is the same at every inclination.

    Parameters
    ----------
    narrow, wide, below : float
        Quantiles of the 68 % interval, of the 95 % interval and of the bound.
    floor_deg : float
        Least spread, degrees.
    """
    quantiles = Quantiles(at_deg=45, low68=narrow, high68=narrow, low95=wide, high95=wide, below95=below)
    return Calibration(floor_deg=floor_deg, quantiles=(quantiles,), galaxies=100)


def manifest(flavors: int = 4, *, rejectors: int = 1, version: int = 1) -> Manifest:
    """Return a release of one architecture in ``flavors`` bags with its rejector."""
    common = {
        "architecture": "vgg6",
        "version": version,
        "seed": 1,
        "parameters": 1000,
        "training_galaxies": 100,
        "metrics": {"rms_deg": 3.0},
    }
    return Manifest(
        release="test",
        tensorflow="2.20.0",
        seed=1,
        training_sample={"galaxies": 100},
        flavors=tuple(Flavor.model_validate({"name": f"vgg6_m{bag}", "bag": bag, **common}) for bag in range(flavors)),
        rejectors=tuple(Rejector.model_validate({"name": "vgg6_reject", **common}) for _ in range(rejectors)),
        calibration=calibration(),
        metrics={"rms_deg": 3.0},
    )


def models_of(release: Manifest) -> dict[str, int]:
    """Return the version of every model by name."""
    return {model.name: model.version for model in release.models}
