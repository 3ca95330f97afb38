"""Makes a model release by one command and from one seed: simulate, train, calibrate, export, describe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from gateway.core.manifest import Flavor, Manifest, Rejector, read_manifest, write_manifest
from gateway.core.models_config import models_config
from training.data import dataset
from training.data.dataset import RealGalaxy
from training.data.human_scale import LABEL_RANGE_DEG
from training.data.training_data import catalogued, gather, real_galaxies, weak_reject
from training.evaluation import evaluate
from training.release import calibrate, export, parallel, recipe
from training.release.parallel import Member, members
from training.simulation import sample

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from gateway.core.manifest import Calibration
    from training.data.training_data import Material, Places
    from training.release.parallel import Say
    from training.release.recipe import Recipe

_HELD_OUT_SEED = 1_000_000
_HELD_OUT = 300


@dataclass(frozen=True, slots=True)
class Judges:
    """Galaxies and their model inputs."""

    galaxies: Sequence[RealGalaxy]
    images: NDArray[np.uint8]


def judges(galaxies: Sequence[RealGalaxy]) -> Judges:
    """Read the pictures of galaxies that people judged."""
    chosen = [g for g in galaxies if g.measured or g.reject]
    return Judges(chosen, dataset.images(chosen))


def simulated_judges(seed: int) -> Judges:
    """Simulate galaxies for calibration and testing where there are no real ones."""
    made = sample.simulate(seed=seed, count=_HELD_OUT)
    labels = np.clip(made.column("human_deg"), *LABEL_RANGE_DEG)
    rows = zip(made.truth, labels, strict=True)
    galaxies = [RealGalaxy(int(row["index"]), Path(), float(label), str(row["reject"])) for row, label in rows]
    return Judges(galaxies, made.images)


def release(
    how: Recipe,
    places: Places,
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
    places : Places
    name : str
        Of the release.
    version : int
        Of every model.
    resume : bool
        Take up an interrupted run: the result is the same.
    workers : int
        Processes that simulate, and networks that learn at once.
    say : callable
        Told what is being made, and its metrics.
    """
    trained = parallel.train_all(how, places, workers=workers, resume=resume, say=say)
    material = gather(places)
    for member in members(how):
        target = places.model_repo / member.name / str(version)
        probes = material.simulated.images[:16]
        export.export(trained[member.name], member.purpose, target, probes, label_range_deg=LABEL_RANGE_DEG)
    served = {model: export.load(places.model_repo / model / str(version)) for model in trained}
    real, kept_out = real_galaxies(places)
    validation = _held_out(real, "validation", kept_out, how.seed)
    test = _held_out(real, "test", kept_out, how.seed)
    calibration = _calibrate(served, validation)
    found = evaluate.report(test.galaxies, _ask(served, test.images), calibration)
    manifest = Manifest(
        release=name,
        tensorflow=tf.__version__,
        seed=how.seed,
        label_range_deg=LABEL_RANGE_DEG,
        training_sample={**_counted(material), **_counted_judges(test), "test_kind": "real" if real else "simulated"},
        flavors=_flavors(how, material, trained, version, found),
        rejectors=_rejectors(how, material, trained, version, found),
        calibration=calibration,
        metrics={**_rounded(found["ensemble"]["median"]), **_rounded(found["coverage"])},
    )
    write_manifest(manifest, places.model_repo / "manifest.json")
    write_models_config(places.model_repo / "manifest.json", places.models_config)
    return manifest


def _ask(served: dict[str, Any], images: NDArray[np.uint8]) -> evaluate.Predictions:
    answers = {name: export.answer(signature, images) for name, signature in served.items()}
    twins = {name for name in answers if name.endswith("_reject")}
    return evaluate.Predictions(
        {name: said for name, said in answers.items() if name not in twins}, {name: answers[name] for name in twins}
    )


def _calibrate(served: dict[str, Any], validation: Judges) -> Calibration:
    measured = np.array([g.measured for g in validation.galaxies])
    labels = np.array([g.inclination_deg for g in validation.galaxies])[measured]
    return calibrate.calibrate(labels, _ask(served, validation.images).stacked[:, measured])


def _discs(material: Material) -> int:
    return sum(row["reject"] != "unsuitable" for row in material.simulated.truth)


def _listed(material: Material) -> int:
    return int(np.isfinite(catalogued(material)).sum())


def _people(material: Material) -> int:
    return len(material.measured)


def _counted(material: Material) -> dict[str, int | str]:
    return {
        "simulated": len(material.simulated.truth),
        "human_measured": _people(material),
        "human_rejected": sum(g.reject != "" for g in material.real),
        "catalogue_rejected": sum(weak_reject(g) for g in material.real),
        "catalogue_measured": _listed(material),
    }


def _counted_judges(test: Judges) -> dict[str, int | str]:
    return {
        "test_measured": sum(g.measured for g in test.galaxies),
        "test_rejected": sum(g.reject != "" for g in test.galaxies),
    }


def _described(
    one: Member, how: Recipe, trained: dict[str, Any], version: int, metrics: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": one.name,
        "architecture": one.architecture,
        "version": version,
        "parameters": trained[one.name].count_params(),
        "seed": recipe.seed_of(how, one.bag),
        "metrics": _rounded(metrics.get(one.name, {})),
    }


def _flavors(
    how: Recipe, material: Material, trained: dict[str, Any], version: int, found: dict[str, Any]
) -> tuple[Flavor, ...]:
    others = _discs(material) + _listed(material)
    return tuple(
        Flavor(
            **_described(one, how, trained, version, found["flavors"]),
            bag=one.bag,
            training_galaxies=others + len(dataset.bag(_people(material), number=one.bag, seed=how.seed)),
        )
        for one in members(how)
        if one.bag is not None
    )


def _rejectors(
    how: Recipe, material: Material, trained: dict[str, Any], version: int, found: dict[str, Any]
) -> tuple[Rejector, ...]:
    real = sum(g.measured or g.reject != "" or weak_reject(g) for g in material.real)
    return tuple(
        Rejector(
            **_described(one, how, trained, version, found.get("rejectors", {})),
            training_galaxies=len(material.simulated.truth) + real,
        )
        for one in members(how)
        if one.bag is None
    )


def _held_out(real: Sequence[RealGalaxy], part: dataset.Split, kept_out: Collection[int], seed: int) -> Judges:
    if real:
        return judges(dataset.select(real, part, exclude=kept_out))
    return simulated_judges(_HELD_OUT_SEED + 2 * seed + (part == "test"))


def _rounded(found: dict[str, Any]) -> dict[str, float]:
    return {k: round(v, 4) for k, v in found.items() if isinstance(v, float) and np.isfinite(v)}


def write_models_config(manifest: Path, target: Path) -> None:
    """Generate ``serving/models.config``."""
    target.write_text(models_config(read_manifest(manifest)), encoding="utf-8")
