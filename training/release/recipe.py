"""How the networks of a release are trained: what each one sees, for how long, and from which weights it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from training.data import dataset
from training.data.blends import blend
from training.data.human_scale import LABEL_RANGE_DEG, HumanScale, fit_human_scale
from training.data.rejects import spoil
from training.data.training_data import catalogued, weak_reject
from training.networks import architectures
from training.networks.augmentation import Augmentation
from training.networks.batches import WIDEN_REAL, WIDEN_SIMULATED, Mixture, Pool
from training.networks.train import Plan, fit, predict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from training.data.training_data import Material
    from training.networks.architectures import Precision, Purpose
    from training.simulation.sample import Sample

    Progress = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides a release, beside the data.

    Fine-tuning takes ``finetuning_steps`` for bag 0, fewer for smaller bags, and ``batch`` pictures a step:
    ``human_share`` of them measured by people, ``blend_share`` made of two such (of the ``blended`` that each bag
    gets), ``catalogue_share`` with the catalogues' inclination, the rest simulated. It changes most of them little
    (``Augmentation.mildness``).
    """

    seed: int = 1
    architectures: tuple[str, ...] = tuple(architectures.ARCHITECTURES)
    bags: int = 4
    simulated: int = 24_000
    blended: int = 4_000
    pretraining_steps: int = 4000
    finetuning_steps: int = 6000
    rejector_steps: int = 800
    pretraining_batch: int = 128
    batch: int = 96
    human_share: float = 0.45
    blend_share: float = 0.30
    catalogue_share: float = 0.15
    pretraining_rate: float = 1e-3
    pretraining_mildness: float = 1.0
    finetuning_rate: float = 1.2e-3
    finetuning_mildness: float = 4.0
    rejector_rate: float = 8e-4
    precision: Precision = "mixed_bfloat16"


_SPOILED = 2000
"""Pictures that people would reject made of the training galaxies that they kept, for each rejector."""


def human_scale(material: Material, pretrained: Any) -> HumanScale:
    """Return the human scale as the training galaxies show it; the simulation's own where there are none."""
    measured = material.measured
    if not len(measured):
        return HumanScale()
    labels = np.array([material.real[m].inclination_deg for m in measured])
    predicted = architectures.from_scale(predict(pretrained, material.images[measured])[:, 0], LABEL_RANGE_DEG)
    return fit_human_scale(labels, predicted.astype(np.float64))


def _uniform(count: int) -> NDArray[np.float64]:
    return np.full(count, 1 / count)


def _scaled(labels_deg: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(architectures.to_scale(labels_deg, LABEL_RANGE_DEG), np.float32)[:, None]


def simulated_pool(simulated: Sample, share: int, scale: HumanScale) -> Pool:
    """Return simulated discs on the human scale; unsuitable ones teach an inclination nothing."""
    chosen = np.flatnonzero([row["reject"] != "unsuitable" for row in simulated.truth])
    targets = _scaled(scale(simulated.column("human_deg")[chosen]))
    return Pool(simulated.images, chosen, targets, _uniform(len(chosen)), share, WIDEN_SIMULATED)


def measured_pool(material: Material, share: int, *, bag: int, seed: int) -> Pool:
    """Return the human-measured galaxies of a bag, every inclination equally often."""
    measured = material.measured
    members = measured[dataset.bag(len(measured), number=bag, seed=seed)]
    labels = np.array([material.real[m].inclination_deg for m in members], np.float32)
    rates = dataset.uniform_rates(labels, LABEL_RANGE_DEG)
    return Pool(material.images, members, _scaled(labels), rates, share, WIDEN_REAL)


def blended_pool(material: Material, share: int, *, count: int, bag: int, seed: int) -> Pool:
    """Return ``count`` galaxies made of two human-measured ones of a bag."""
    measured = material.measured
    members = measured[dataset.bag(len(measured), number=bag, seed=seed)]
    labels = np.array([material.real[m].inclination_deg for m in members], np.float32)
    rates = dataset.uniform_rates(labels, LABEL_RANGE_DEG)
    images, labels = blend(material.images[members], labels, rates, count=count, seed=seed * 1000 + bag)
    return Pool(images, np.arange(count), _scaled(labels), _uniform(count), share, WIDEN_REAL)


def catalogued_pool(material: Material, share: int) -> Pool:
    """Return spirals with the catalogues' inclination, which scatters by 4 deg about that of people."""
    said = catalogued(material)
    members = np.flatnonzero(np.isfinite(said))
    labels = said[members].astype(np.float32)
    rates = dataset.uniform_rates(labels, LABEL_RANGE_DEG)
    return Pool(material.images, members, _scaled(labels), rates, share, WIDEN_REAL)


def pretrain(
    recipe: Recipe, simulated: Sample, folder: Path, *, architecture: str, resume: bool, progress: Progress
) -> Any:
    """Train one network on simulated galaxies alone: every network of its architecture starts from it."""
    network = build(recipe, architecture, "inclination", seed=recipe.seed)
    plan = Plan(steps=recipe.pretraining_steps, rate=recipe.pretraining_rate, seed=recipe.seed, warmup=200)
    batches = Mixture([simulated_pool(simulated, recipe.pretraining_batch, HumanScale())], recipe.seed)
    milder = Augmentation(mildness=recipe.pretraining_mildness)
    fit(network, batches, plan, folder, resume=resume, progress=progress, augmentation=milder)
    return network


def flavor(
    recipe: Recipe,
    material: Material,
    pretrained: Any,
    folder: Path,
    *,
    architecture: str,
    bag: int,
    resume: bool,
    progress: Progress,
) -> Any:
    """Fine-tune one bag: its real galaxies mixed with catalogued and simulated ones."""
    seed = seed_of(recipe, bag)
    network = build(recipe, architecture, "inclination", seed=seed)
    architectures.warm_start(network, pretrained)
    human = round(recipe.batch * recipe.human_share) if len(material.measured) else 0
    listed = round(recipe.batch * recipe.catalogue_share) if np.isfinite(catalogued(material)).any() else 0
    pools = [measured_pool(material, human, bag=bag, seed=recipe.seed)] if human else []
    blended = round(recipe.batch * recipe.blend_share) if human else 0
    pools += [blended_pool(material, blended, count=recipe.blended, bag=bag, seed=recipe.seed)] if blended else []
    pools += [catalogued_pool(material, listed)] if listed else []
    scale = human_scale(material, pretrained)
    pools.append(simulated_pool(material.simulated, recipe.batch - human - blended - listed, scale))
    plan = Plan(steps=flavor_steps(recipe, bag), rate=recipe.finetuning_rate, seed=seed)
    milder = Augmentation(mildness=recipe.finetuning_mildness)
    fit(network, Mixture(pools, seed), plan, folder, resume=resume, progress=progress, augmentation=milder)
    return network


def rejector(
    recipe: Recipe,
    material: Material,
    twin: Any,
    folder: Path,
    *,
    architecture: str,
    resume: bool,
    progress: Progress,
) -> Any:
    """Fine-tune the classifier twin of a flavor on what people rejected, and on stand-ins for what is rare there."""
    seed = seed_of(recipe, None)
    network = build(recipe, architecture, "rejection", seed=seed)
    architectures.warm_start(network, twin)
    plan = Plan(steps=recipe.rejector_steps, rate=recipe.rejector_rate, seed=seed, loss="categorical_crossentropy")
    pools = rejector_pools(material, batch=recipe.batch, seed=seed)
    milder = Augmentation(mildness=recipe.finetuning_mildness)
    fit(network, Mixture(pools, seed), plan, folder, resume=resume, progress=progress, augmentation=milder)
    return network


def rejector_pools(material: Material, *, batch: int, seed: int) -> list[Pool]:
    """Return kept and rejected pictures, half of each: judged by people or catalogues, spoiled, or simulated."""
    simulated, real = material.simulated.images, material.images
    rejected = np.array([row["reject"] != "" for row in material.simulated.truth])
    kinds = [(simulated, ~rejected, 0, 1, WIDEN_SIMULATED), (simulated, rejected, 1, 1, WIDEN_SIMULATED)]
    if material.real:
        kept = np.array([g.measured for g in material.real])
        judged = np.array([g.reject != "" for g in material.real])
        listed = np.array([weak_reject(g) for g in material.real])
        kinds += [(real, kept, 0, 5, WIDEN_REAL), (real, judged, 1, 3, WIDEN_REAL), (real, listed, 1, 1, WIDEN_REAL)]
        if kept.any():
            spoiled = spoil(real[kept], count=_SPOILED, seed=seed)
            kinds.append((spoiled, np.ones(_SPOILED, bool), 1, 1, WIDEN_REAL))
    present = [kind for kind in kinds if kind[1].any()]
    parts = {target: sum(part for _, _, one, part, _ in present if one == target) for target in (0, 1)}
    return [
        _class(images, np.flatnonzero(members), target, max(1, round(batch / 2 * part / parts[target])), widen)
        for images, members, target, part, widen in present
    ]


def build(recipe: Recipe, architecture: str, purpose: Purpose, *, seed: int) -> Any:
    """Build a network that learns in the recipe's precision."""
    return architectures.build(
        architectures.ARCHITECTURES[architecture], purpose, seed=seed, precision=recipe.precision
    )


def flavor_steps(recipe: Recipe, bag: int) -> int:
    """Return for how long a flavor learns: every bag meets each of its galaxies equally often."""
    return recipe.finetuning_steps if bag == 0 else max(1, round(recipe.finetuning_steps * dataset.BAG_SHARE))


def seed_of(recipe: Recipe, bag: int | None) -> int:
    """Return the seed of a bag's network, or of a rejector (no bag)."""
    return recipe.seed * 1000 + (999 if bag is None else bag)


def _class(
    images: NDArray[np.uint8], places: NDArray[np.intp], target: int, share: int, widen: tuple[float, float]
) -> Pool:
    targets = np.tile(np.eye(2, dtype=np.float32)[target], (len(places), 1))
    return Pool(images, places, targets, _uniform(len(places)), share, widen)
