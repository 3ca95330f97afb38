"""Makes a model release by one command and from one seed: simulates, trains, calibrates, exports, describes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from gateway.core.manifest import Flavor, Manifest, Rejector, read_manifest, write_manifest
from gateway.core.models_config import models_config
from training.data import dataset
from training.data.dataset import FACE_ON_BELOW_DEG, RealGalaxy
from training.data.human_scale import LABEL_RANGE_DEG
from training.data.training_data import catalogue_judgement, catalogued, gather, real_galaxies
from training.evaluation import evaluate
from training.release import calibrate, export, parallel, recipe
from training.release.parallel import Member, members
from training.simulation import sample

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from gateway.core.manifest import Calibration
    from training.data.training_data import ReleasePaths, TrainingData
    from training.release.parallel import Say
    from training.release.recipe import Recipe

_HELD_OUT_SEED = 1_000_000
_HELD_OUT_PARTS: tuple[dataset.Split, ...] = ("validation", "test")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Galaxies with human labels that no training step used, and their model inputs."""

    galaxies: Sequence[RealGalaxy]
    images: NDArray[np.uint8]


def held_out(how: Recipe, real: Sequence[RealGalaxy], part: dataset.Split, set_aside: Collection[int]) -> HeldOut:
    """Return the labelled galaxies of one part; simulated ones if there are no real ones."""
    if real:
        chosen = [g for g in dataset.select(real, part, exclude=set_aside) if g.measured or g.reject]
        return HeldOut(chosen, dataset.images(chosen))
    return simulated_aside(how, part)


def simulated_aside(how: Recipe, part: dataset.Split) -> HeldOut:
    """Return simulated galaxies that no training step uses."""
    made = sample.simulate(seed=_HELD_OUT_SEED + 2 * how.seed + (part == "test"), count=how.held_out)
    labels = np.clip(made.column("human_deg"), *LABEL_RANGE_DEG)
    reasons = ["unsuitable" if row["reject"] == "unsuitable" else "" for row in made.truth]
    rows = zip(made.truth, labels, reasons, strict=True)
    galaxies = [RealGalaxy(int(row["index"]), Path(), float(label), reason) for row, label, reason in rows]
    return HeldOut(galaxies, made.images)


def release(
    how: Recipe,
    paths: ReleasePaths,
    *,
    name: str,
    version: int,
    resume: bool,
    workers: int,
    say: Say,
) -> Manifest:
    """Make a release and return its manifest, which is written last.

    Parameters
    ----------
    how : Recipe
        Recipe of the release.
    paths : ReleasePaths
        Input and output files.
    name : str
        Name of the release.
    version : int
        Version of every model.
    resume : bool
        Whether to continue an interrupted run; the result is the same.
    workers : int
        Number of processes that simulate, and of networks that train at the same time.
    say : callable
        Called with the name of the current step, and its metrics.
    """
    trained = parallel.train_all(how, paths, workers=workers, resume=resume, say=say)
    data = gather(paths)
    for member in members(how):
        target = paths.model_repo / member.name / str(version)
        probes = data.simulated.images[:16]
        export.export(trained[member.name], member.purpose, target, probes, label_range_deg=LABEL_RANGE_DEG)
    served = {model: export.load(paths.model_repo / model / str(version)) for model in trained}
    real, set_aside = real_galaxies(paths)
    validation, test = (held_out(how, real, part, set_aside) for part in _HELD_OUT_PARTS)
    calibration = _calibrate(how, data, served, validation)
    found = evaluate.report(test.galaxies, evaluate.ask(served, test.images), calibration)
    discs = sum(row["reject"] != "unsuitable" for row in data.simulated.truth)
    listed = int(np.isfinite(catalogued(data)).sum())
    judged = sum(g.judgement is not None or catalogue_judgement(g) is not None for g in data.real)

    def described(one: Member, metrics: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": one.name,
            "architecture": one.architecture.name,
            "version": version,
            "parameters": trained[one.name].count_params(),
            "seed": recipe.seed_of(how, one.bag),
            "metrics": _rounded(metrics.get(one.name, {})),
        }

    manifest = Manifest(
        release=name,
        tensorflow=tf.__version__,
        seed=how.seed,
        label_range_deg=LABEL_RANGE_DEG,
        training_sample={
            "simulated": len(data.simulated.truth),
            "human_measured": len(data.measured),
            "human_rejected": sum(g.reject != "" for g in data.real),
            "catalogue_rejected": sum(catalogue_judgement(g) is not None for g in data.real),
            "catalogue_measured": listed,
            "test_measured": sum(g.measured for g in test.galaxies),
            "test_rejected": sum(g.reject != "" for g in test.galaxies),
            "test_kind": "real" if real else "simulated",
        },
        flavors=tuple(
            Flavor(
                **described(one, found["flavors"]),
                bag=one.bag,
                training_galaxies=discs + listed + len(dataset.bag(len(data.measured), number=one.bag, seed=how.seed)),
            )
            for one in members(how)
            if one.bag is not None
        ),
        rejectors=tuple(
            Rejector(**described(one, found.get("rejectors", {})), training_galaxies=len(data.simulated.truth) + judged)
            for one in members(how)
            if one.bag is None
        ),
        calibration=calibration,
        metrics={**_rounded(found["ensemble"]["median"]), **_rounded(found["coverage"])},
    )
    write_manifest(manifest, paths.model_repo / "manifest.json")
    write_models_config(paths.model_repo / "manifest.json", paths.models_config)
    return manifest


def _calibrate(how: Recipe, data: TrainingData, served: dict[str, Any], validation: HeldOut) -> Calibration:
    """Fit intervals on validation galaxies, training galaxies outside bags, and simulated ones predicted below 45 deg.

    Real galaxies predicted below 45 deg would bias the fit: people kept only those that they judged more inclined.
    """
    measured = np.array([g.measured for g in validation.galaxies])
    labels = np.array([g.inclination_deg for g in validation.galaxies])[measured]
    flavors = {name: one for name, one in served.items() if not name.endswith("_reject")}
    samples = [(labels, evaluate.ask(flavors, validation.images[measured]).stacked)]
    if len(data.measured):
        samples += [_outside_bags(how, data, flavors), _at_random(how, flavors)]
        below = [np.nanmedian(said, axis=0) < FACE_ON_BELOW_DEG for _, said in samples]
        chosen = [~below[0], ~below[1], below[2]]
        samples = [(labels[one], said[:, one]) for (labels, said), one in zip(samples, chosen, strict=True)]
    return calibrate.calibrate(
        np.concatenate([labels for labels, _ in samples]), np.concatenate([said for _, said in samples], axis=1)
    )


def _outside_bags(
    how: Recipe, data: TrainingData, flavors: dict[str, Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return labels of training galaxies and the answers of flavors not trained on them; NaN for other flavors."""
    said = evaluate.ask(flavors, data.images[data.measured]).stacked
    bags = [member.bag for member in members(how) if member.bag is not None]
    for row, number in zip(said, bags, strict=True):
        row[dataset.bag(len(data.measured), number=number, seed=how.seed)] = np.nan
    known = np.isfinite(said).any(axis=0)
    labels = np.array([data.real[place].inclination_deg for place in data.measured])
    return labels[known], said[:, known]


def _at_random(how: Recipe, flavors: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return labels of simulated discs and the flavors' answers; up to 45 deg the discs are randomly oriented."""
    made = simulated_aside(how, "validation")
    labels = np.array([g.inclination_deg for g in made.galaxies])
    share = np.sin(np.radians(labels)) / np.sin(np.radians(FACE_ON_BELOW_DEG))
    lot = np.random.default_rng(how.seed).random(len(labels))
    chosen = np.array([g.measured for g in made.galaxies]) & (lot < share)
    return labels[chosen], evaluate.ask(flavors, made.images[chosen]).stacked


def _rounded(found: dict[str, Any]) -> dict[str, float]:
    return {k: round(v, 4) for k, v in found.items() if isinstance(v, float) and np.isfinite(v)}


def write_models_config(manifest: Path, target: Path) -> None:
    """Generate ``serving/models.config``."""
    target.write_text(models_config(read_manifest(manifest)), encoding="utf-8")
