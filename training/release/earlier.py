"""Starts the networks of a release from those of an earlier one, which may be wider or have another label range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gateway.core.manifest import read_manifest
from training.data.human_scale import LABEL_RANGE_DEG
from training.networks import architectures

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from training.networks.architectures import Architecture, Purpose


def start(architecture: Architecture, name: str, purpose: Purpose, model_repo: Path, *, seed: int) -> Any:
    """Return a network with the weights of the network of the same name in an earlier release.

    Parameters
    ----------
    architecture : Architecture
    name, purpose : str
        Name of the network, and its output.
    model_repo : Path
        Repository of the earlier release. Both must be made of the same tables and seed, so that bags are equal.
    seed : int

    Returns
    -------
    keras.Model or None
        None where that release has no such network, or one that differs in more than its widths.
    """
    import tensorflow as tf  # networks may train with JAX alone

    manifest = read_manifest(model_repo / "manifest.json")
    model = next((one for one in manifest.models if one.name == name), None)
    if model is None:
        return None
    loaded = tf.saved_model.load(str(model_repo / name / str(model.version)))
    weights = [np.asarray(one) for one in loaded.weights if one.dtype.is_floating]
    network = architectures.build(architecture, purpose, seed=seed)
    if not architectures.take_over(network, weights):
        return None
    if purpose == "inclination" and manifest.label_range_deg != LABEL_RANGE_DEG:
        architectures.change_range(network, manifest.label_range_deg, LABEL_RANGE_DEG)
    return network
