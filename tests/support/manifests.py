"""Manifests for tests."""

from __future__ import annotations

from gateway.core.manifest import Calibration, Flavor, Manifest, Rejector


def manifest(flavors: int = 4, *, rejectors: int = 1, version: int = 1) -> Manifest:
    """A release of one architecture in ``flavors`` bags with its rejector."""
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
        calibration=Calibration(floor_deg=2.0, quantile68=1.0, quantile95=2.0, galaxies=100),
        metrics={"rms_deg": 3.0},
    )


def models_of(release: Manifest) -> dict[str, int]:
    """Name to version of every model."""
    return {model.name: model.version for model in release.models}
