"""The training recipe of a release's networks: what each one is trained on, for how long, and from which weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from training.data import dataset
from training.data.blends import blend
from training.data.dataset import FACE_ON_BELOW_DEG
from training.data.human_scale import LABEL_RANGE_DEG, HumanScale, fit_human_scale
from training.data.rejects import spoil
from training.data.training_data import catalogue_judgement, catalogued
from training.networks import architectures
from training.networks.architectures import ARCHITECTURES, Architecture
from training.networks.augmentation import Augmentation
from training.networks.batches import WIDEN_REAL, WIDEN_SIMULATED, Mixture, Pool
from training.networks.train import Schedule, fit, predict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training.data.training_data import TrainingData
    from training.networks.architectures import Precision, Purpose
    from training.simulation.sample import SimulatedSample

    Progress = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All parameters of a release except the data.

    ``held_out`` simulated galaxies calibrate a release below 45 deg, where people measured none; without real galaxies
    they calibrate all of it, and the same number tests it.
    Fine-tuning takes ``finetuning_steps`` for bag 0, fewer for smaller bags, ``continued_share`` of that for a flavor
    that starts from an earlier release, and ``batch`` pictures a step:
    ``human_share`` of them measured by people, ``blend_share`` made of two such (of the ``blended`` that each bag
    gets), ``catalogue_share`` with the catalogues' inclination, the rest simulated. It changes most of them little
    (``Augmentation.mildness``). A rejector is also trained on ``spoiled`` pictures that people would reject, made of
    training galaxies that they accepted.
    """

    seed: int = 1
    architectures: tuple[Architecture, ...] = tuple(ARCHITECTURES.values())
    bags: int = 4
    simulated: int = 24_000
    held_out: int = 1200
    blended: int = 4_000
    spoiled: int = 2_000
    pretraining_steps: int = 4000
    finetuning_steps: int = 8500
    continued_share: float = 0.5
    rejector_steps: int = 800
    pretraining_batch: int = 128
    batch: int = 96
    human_share: float = 0.50
    blend_share: float = 0.28
    catalogue_share: float = 0.10
    pretraining_rate: float = 1e-3
    pretraining_mildness: float = 1.0
    finetuning_rate: float = 1e-3
    finetuning_mildness: float = 4.0
    rejector_rate: float = 8e-4
    precision: Precision = "mixed_bfloat16"


def human_scale(data: TrainingData, pretrained: Any) -> HumanScale:
    """Return the human scale fitted to the training galaxies; the simulation's own scale without any."""
    measured = data.measured
    if not len(measured):
        return HumanScale()
    labels = np.array([data.real[m].inclination_deg for m in measured])
    predicted = architectures.from_scale(predict(pretrained, data.images[measured])[:, 0], LABEL_RANGE_DEG)
    return fit_human_scale(labels, predicted.astype(np.float64))


def _uniform(count: int) -> NDArray[np.float64]:
    return np.full(count, 1 / count)


def _scaled(labels_deg: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(architectures.to_scale(labels_deg, LABEL_RANGE_DEG), np.float32)[:, None]


def simulated_pool(simulated: SimulatedSample, share: int, scale: HumanScale) -> Pool:
    """Return simulated discs on the human scale, without unsuitable ones, which have no useful inclination.

    Below 45 deg they are as frequent as randomly oriented discs, so that a network learns the expected inclination of a
    round outline; above, every inclination is equally frequent.
    """
    chosen = np.flatnonzero([row["reject"] != "unsuitable" for row in simulated.truth])
    true = simulated.column("inclination_deg")[chosen].astype(np.float64)
    rates = np.minimum(np.sin(np.radians(true)) / np.sin(np.radians(FACE_ON_BELOW_DEG)), 1)
    targets = _scaled(scale(simulated.column("human_deg")[chosen]))
    return Pool(simulated.images, chosen, targets, rates / rates.sum(), share, WIDEN_SIMULATED)


def _bag(data: TrainingData, bag: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.float64]]:
    """Return indices, labels and rates of a bag's human-measured galaxies, every inclination equally frequent."""
    members = data.measured[dataset.bag(len(data.measured), number=bag, seed=seed)]
    labels = np.array([data.real[m].inclination_deg for m in members], np.float32)
    return members, labels, dataset.uniform_rates(labels, LABEL_RANGE_DEG)


def measured_pool(data: TrainingData, share: int, *, bag: int, seed: int) -> Pool:
    """Return the human-measured galaxies of a bag."""
    members, labels, rates = _bag(data, bag, seed)
    return Pool(data.images, members, _scaled(labels), rates, share, WIDEN_REAL)


def blended_pool(data: TrainingData, share: int, *, count: int, bag: int, seed: int) -> Pool:
    """Return ``count`` galaxies made of two human-measured ones of a bag."""
    members, labels, rates = _bag(data, bag, seed)
    images, labels = blend(data.images[members], labels, rates, count=count, seed=seed * 1000 + bag)
    return Pool(images, np.arange(count), _scaled(labels), _uniform(count), share, WIDEN_REAL)


def catalogued_pool(data: TrainingData, said: NDArray[np.float64], share: int) -> Pool:
    """Return spirals without a human measurement, with inclinations from the catalogues or their outlines."""
    members = np.flatnonzero(np.isfinite(said))
    labels = said[members].astype(np.float32)
    rates = dataset.uniform_rates(labels, LABEL_RANGE_DEG)
    return Pool(data.images, members, _scaled(labels), rates, share, WIDEN_REAL)


def pretrain(
    recipe: Recipe,
    simulated: SimulatedSample,
    folder: Path,
    *,
    architecture: Architecture,
    resume: bool,
    progress: Progress,
) -> Any:
    """Train a network on simulated galaxies alone, from which every network of its architecture starts."""
    network = architectures.build(architecture, "inclination", seed=recipe.seed, precision=recipe.precision)
    schedule = Schedule(steps=recipe.pretraining_steps, rate=recipe.pretraining_rate, seed=recipe.seed, warmup=200)
    batches = Mixture([simulated_pool(simulated, recipe.pretraining_batch, HumanScale())], recipe.seed)
    milder = Augmentation(mildness=recipe.pretraining_mildness)
    fit(network, batches, schedule, folder, resume=resume, progress=progress, augmentation=milder)


def finetune(
    recipe: Recipe,
    data: TrainingData,
    start: Any,
    folder: Path,
    *,
    scale: HumanScale,
    architecture: Architecture,
    bag: int | None,
    continued: bool = False,
    resume: bool,
    progress: Progress,
) -> None:
    """Train a flavor on a bag, or a rejector (no bag), from the weights of ``start``."""
    seed = seed_of(recipe, bag)
    purpose: Purpose = "rejection" if bag is None else "inclination"
    network = architectures.build(architecture, purpose, seed=seed, precision=recipe.precision)
    if bag is None:
        pools = rejector_pools(recipe, data)
        rate, loss = recipe.rejector_rate, "categorical_crossentropy"
    else:
        pools = flavor_pools(recipe, data, scale, bag)
        rate, loss = recipe.finetuning_rate, "inclination"
    schedule = Schedule(steps=steps_of(recipe, bag, continued=continued), rate=rate, seed=seed, loss=loss)
    architectures.warm_start(network, start)
    milder = Augmentation(mildness=recipe.finetuning_mildness)
    fit(network, Mixture(pools, seed), schedule, folder, resume=resume, progress=progress, augmentation=milder)


def flavor_pools(recipe: Recipe, data: TrainingData, scale: HumanScale, bag: int) -> list[Pool]:
    """Return the measured galaxies of a bag, blends of them, catalogued and simulated ones, in the recipe's shares."""
    human = round(recipe.batch * recipe.human_share) if len(data.measured) else 0
    blended = round(recipe.batch * recipe.blend_share) if human else 0
    said = catalogued(data)
    listed = round(recipe.batch * recipe.catalogue_share) if np.isfinite(said).any() else 0
    pools = [measured_pool(data, human, bag=bag, seed=recipe.seed)] if human else []
    pools += [blended_pool(data, blended, count=recipe.blended, bag=bag, seed=recipe.seed)] if blended else []
    pools += [catalogued_pool(data, said, listed)] if listed else []
    return [*pools, simulated_pool(data.simulated, recipe.batch - human - blended - listed, scale)]


def rejector_pools(recipe: Recipe, data: TrainingData) -> list[Pool]:
    """Return pictures of which half are accepted, and a quarter each rejected as face-on and as unsuitable.

    They are judged by people or by catalogues, spoiled, or simulated.
    """
    simulated, real = data.simulated.images, data.images
    truth = [str(row["reject"]) for row in data.simulated.truth]
    kinds: list[tuple[NDArray[np.uint8], Sequence[str | None], float, tuple[float, float]]] = [
        (simulated, truth, 1, WIDEN_SIMULATED)
    ]
    if data.real:
        judged = [g.judgement for g in data.real]
        kinds += [(real, judged, 4, WIDEN_REAL), (real, [catalogue_judgement(g) for g in data.real], 1, WIDEN_REAL)]
        kept = np.array([one == "" for one in judged])
        if kept.any():
            spoiled = spoil(real[kept], count=recipe.spoiled, seed=seed_of(recipe, None))
            kinds.append((spoiled, ["unsuitable"] * recipe.spoiled, 1, WIDEN_REAL))
    pools = []
    for number, reason in enumerate(architectures.REASONS):
        chosen = [(images, np.array([o == reason for o in said]), part, widen) for images, said, part, widen in kinds]
        present = [one for one in chosen if one[1].any()]
        parts = sum(part for _, _, part, _ in present)
        share = recipe.batch * (0.25 if reason else 0.5)
        pools += [
            Pool(
                images,
                np.flatnonzero(members),
                np.tile(np.eye(len(architectures.REASONS), dtype=np.float32)[number], (members.sum(), 1)),
                _uniform(members.sum()),
                max(1, round(share * part / parts)),
                widen,
            )
            for images, members, part, widen in present
        ]
    return pools


def steps_of(recipe: Recipe, bag: int | None, *, continued: bool = False) -> int:
    """Return the number of steps for a bag or a rejector (no bag): every bag sees its galaxies equally often."""
    if bag is None:
        return recipe.rejector_steps
    steps = recipe.finetuning_steps * (recipe.continued_share if continued else 1)
    return max(1, round(steps if bag == 0 else steps * dataset.BAG_SHARE))


def seed_of(recipe: Recipe, bag: int | None) -> int:
    """Return the seed of a bag's network, or of a rejector (no bag)."""
    return recipe.seed * 1000 + (999 if bag is None else bag)
