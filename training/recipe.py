"""How the networks of a release are trained: what each one sees, for how long, and from which weights it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from training import dataset, networks
from training.augment import Augmentation
from training.batches import WIDEN_REAL, WIDEN_SIMULATED, Mixture, Pool
from training.train import Plan, fit, predict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from training.dataset import RealGalaxy
    from training.networks import Architecture
    from training.sample import Sample

LABEL_RANGE_DEG = (45.0, 90.0)
WEAK_FACE_ON_BELOW_DEG = 35.0
"""An unmeasured galaxy whose catalogue axis ratio says less than this is taken for one that people would reject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides a release, beside the data.

    Fine-tuning takes ``batch`` pictures a step: ``human_share`` of them measured by people, ``catalogue_share`` with
    the catalogue's inclination, the rest simulated. It changes most of them little (``Augmentation.mildness``).
    """

    seed: int = 1
    architectures: tuple[str, ...] = tuple(networks.ARCHITECTURES)
    bags: int = 4
    simulated: int = 18_000
    pretraining_steps: int = 5000
    finetuning_steps: int = 5000
    rejector_steps: int = 1500
    pretraining_batch: int = 32
    batch: int = 24
    human_share: float = 0.75
    catalogue_share: float = 0.08
    pretraining_rate: float = 6e-4
    finetuning_rate: float = 6e-4
    finetuning_mildness: float = 2.0
    rejector_rate: float = 4e-4


@dataclass(frozen=True, slots=True)
class Material:
    """What the networks of a release learn from: simulated galaxies, and the training part of the real ones."""

    simulated: Sample
    real: Sequence[RealGalaxy]
    images: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class HumanScale:
    """How people's inclinations follow from those of a network that knows simulated galaxies alone.

    ``label = sum(c_k x^k)`` in units of the label range, x = 0..1. Simulated labels go through it before they are mixed
    with real ones: real discs seen edge-on are rounder than simulated ones of the same thickness (haloes, bulges,
    warps), and two scales in one sample would teach neither.
    """

    coefficients: tuple[float, ...] = (0.0, 1.0)

    def __call__(self, inclination_deg: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map degrees of the simulation to degrees of the human scale, clipped to the label range."""
        low, high = LABEL_RANGE_DEG
        x = np.clip((inclination_deg - low) / (high - low), 0, 1)
        y = np.polynomial.polynomial.polyval(x, self.coefficients)
        return np.asarray(low + (high - low) * np.clip(y, 0, 1), np.float32)

    def __str__(self) -> str:
        return " ".join(f"{c:+.4f} x^{k}" for k, c in enumerate(self.coefficients))


def fit_human_scale(labels_deg: NDArray[np.float64], predicted_deg: NDArray[np.float64]) -> HumanScale:
    """Fit a parabola of human labels against the predictions of the pretrained network, on training galaxies."""
    low, high = LABEL_RANGE_DEG
    x, y = ((values - low) / (high - low) for values in (predicted_deg, labels_deg))
    return HumanScale(tuple(float(c) for c in np.polynomial.polynomial.polyfit(x, y, 2)))


def human_scale(material: Material, pretrained: Any) -> HumanScale:
    """Return the human scale as the training galaxies show it; the simulation's own where there are none."""
    measured = np.flatnonzero([galaxy.measured for galaxy in material.real])
    if not len(measured):
        return HumanScale()
    labels = np.array([material.real[int(m)].inclination_deg for m in measured])
    predicted = networks.from_scale(predict(pretrained, material.images[measured])[:, 0], LABEL_RANGE_DEG)
    return fit_human_scale(labels, predicted.astype(np.float64))


def _uniform(count: int) -> NDArray[np.float64]:
    return np.full(count, 1 / count)


def _scaled(labels_deg: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(networks.to_scale(labels_deg, LABEL_RANGE_DEG), np.float32)[:, None]


def simulated_pool(simulated: Sample, share: int, scale: HumanScale) -> Pool:
    """Return simulated discs on the human scale; unsuitable ones teach an inclination nothing."""
    chosen = np.flatnonzero([row["reject"] != "unsuitable" for row in simulated.truth])
    targets = _scaled(scale(simulated.column("human_deg")[chosen]))
    return Pool(np.asarray(simulated.images)[chosen], targets, _uniform(len(chosen)), share, WIDEN_SIMULATED)


def measured_pool(material: Material, share: int, *, bag: int, seed: int) -> Pool:
    """Return the human-measured galaxies of a bag, every inclination equally often."""
    measured = np.flatnonzero([galaxy.measured for galaxy in material.real])
    members = measured[dataset.bag(len(measured), number=bag, seed=seed)]
    labels = np.array([material.real[m].inclination_deg for m in members], np.float32)
    rates = dataset.uniform_rates(labels, LABEL_RANGE_DEG)
    return Pool(material.images[members], _scaled(labels), rates, share, WIDEN_REAL)


def catalogued(galaxy: RealGalaxy) -> bool:
    """Whether a galaxy that nobody measured is a spiral whose catalogue axes say an inclination of the label range."""
    if galaxy.measured or galaxy.reject:
        return False
    return galaxy.stage >= 0 and galaxy.axis_ratio_deg >= LABEL_RANGE_DEG[0]


def catalogued_pool(material: Material, share: int) -> Pool:
    """Return galaxies with the catalogue's inclination, which scatters by 5 deg about that of people."""
    members = np.flatnonzero([catalogued(galaxy) for galaxy in material.real])
    labels = np.array([material.real[int(m)].axis_ratio_deg for m in members], np.float32)
    return Pool(material.images[members], _scaled(labels), _uniform(len(members)), share, WIDEN_REAL)


def pretrain(
    recipe: Recipe,
    simulated: Sample,
    folder: Path,
    *,
    architecture: str,
    resume: bool,
    progress: Callable[[dict[str, float]], None],
) -> Any:
    """Train one network on simulated galaxies alone: every network of its architecture starts from it."""
    network = networks.build(networks.ARCHITECTURES[architecture], "inclination", seed=recipe.seed)
    plan = Plan(steps=recipe.pretraining_steps, rate=recipe.pretraining_rate, seed=recipe.seed, warmup=200)
    batches = Mixture([simulated_pool(simulated, recipe.pretraining_batch, HumanScale())], recipe.seed)
    fit(network, batches, plan, folder, resume=resume, progress=progress)
    return network


def flavor(
    recipe: Recipe,
    material: Material,
    pretrained: Any,
    folder: Path,
    *,
    architecture: str,
    bag: int,
    scale: HumanScale,
    resume: bool,
    progress: Callable[[dict[str, float]], None],
) -> Any:
    """Fine-tune one bag: its real galaxies mixed with catalogued and simulated ones."""
    seed = seed_of(recipe, bag)
    network = _start(networks.ARCHITECTURES[architecture], "inclination", pretrained, seed)
    human = round(recipe.batch * recipe.human_share) if material.real else 0
    listed = round(recipe.batch * recipe.catalogue_share) if any(map(catalogued, material.real)) else 0
    pools = [measured_pool(material, human, bag=bag, seed=recipe.seed)] if human else []
    pools.append(simulated_pool(material.simulated, recipe.batch - human - listed, scale))
    if listed:
        pools.append(catalogued_pool(material, listed))
    plan = Plan(steps=recipe.finetuning_steps, rate=recipe.finetuning_rate, seed=seed)
    mild = Augmentation(mildness=recipe.finetuning_mildness)
    fit(network, Mixture(pools, seed), plan, folder, resume=resume, progress=progress, augmentation=mild)
    return network


def rejector(
    recipe: Recipe,
    material: Material,
    pretrained: Any,
    folder: Path,
    *,
    architecture: str,
    resume: bool,
    progress: Callable[[dict[str, float]], None],
) -> Any:
    """Fine-tune the classifier twin on what people rejected, with simulated and catalogued stand-ins for the rare."""
    seed = seed_of(recipe, None)
    network = _start(networks.ARCHITECTURES[architecture], "rejection", pretrained, seed)
    simulated_rejects = np.array([row["reject"] != "" for row in material.simulated.truth])
    images = np.asarray(material.simulated.images)
    quarter = recipe.batch // 4 if material.real else recipe.batch // 2
    pools = [
        _classes(images[simulated_rejects], 1, quarter // 2 or 1, WIDEN_SIMULATED),
        _classes(images[~simulated_rejects], 0, quarter // 2 or 1, WIDEN_SIMULATED),
    ]
    if material.real:
        kinds = (
            ([g.measured for g in material.real], 0, quarter + quarter // 2),
            ([g.reject != "" for g in material.real], 1, quarter),
            ([weak_reject(g) for g in material.real], 1, quarter // 2),
        )
        pools += [
            _classes(material.images[np.array(chosen)], target, share, WIDEN_REAL)
            for chosen, target, share in kinds
            if any(chosen)
        ]
    plan = Plan(steps=recipe.rejector_steps, rate=recipe.rejector_rate, seed=seed, loss="categorical_crossentropy")
    fit(network, Mixture(pools, seed), plan, folder, resume=resume, progress=progress)
    return network


def seed_of(recipe: Recipe, bag: int | None) -> int:
    """Return the seed of a bag's network, or of a rejector (no bag)."""
    return recipe.seed * 1000 + (999 if bag is None else bag)


def weak_reject(galaxy: RealGalaxy) -> bool:
    """Whether the catalogues say that people would reject a galaxy that nobody looked at: no spiral, or face-on."""
    if galaxy.measured or galaxy.reject:
        return False
    return galaxy.stage < 0 or galaxy.axis_ratio_deg < WEAK_FACE_ON_BELOW_DEG


def _classes(images: NDArray[np.uint8], target: int, share: int, widen: tuple[float, float]) -> Pool:
    targets = np.tile(np.eye(2, dtype=np.float32)[target], (len(images), 1))
    return Pool(images, targets, _uniform(len(images)), share, widen)


def _start(architecture: Architecture, purpose: networks.Purpose, pretrained: Any, seed: int) -> Any:
    network = networks.build(architecture, purpose, seed=seed)
    networks.warm_start(network, pretrained)
    return network
