"""The contract of the gateway, the training and the serving: the signature of a model and the manifest of a release.

``training`` and ``serving`` import only this module and :mod:`gateway.images` of the gateway, so that a network is
trained on exactly the input that it will be given and the ensemble has one description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import pydantic

from gateway.core.files import written_whole

if TYPE_CHECKING:
    from pathlib import Path

INPUT_SIDE = 128
"""Side of the square model input, pixels."""

INPUT_SHAPE = (INPUT_SIDE, INPUT_SIDE, 3)
"""Shape of one model input: rows, columns, RGB planes; dtype uint8, 0..255."""

SIGNATURE = "serving_default"
INPUT = "images"
"""Name of the input in a model's signature: uint8 ``[N, 128, 128, 3]``. Normalisation is inside the graph."""

INCLINATION = "inclination_deg"
"""Name of a flavor's output: float32 ``[N]``, degrees, within the label range."""

REJECTION = "rejection"
"""Name of a rejector's output: float32 ``[N]``, 0 (a person would keep the image) to 1 (a person would reject it)."""

FACE_ON = "face_on"
UNSUITABLE = "unsuitable"
"""Names of the two parts whose sum is :data:`REJECTION`, float32 ``[N]``: the likelihood that a person would reject the
image because the galaxy is below 45 deg, and for any other reason (disturbed, crowded, poor, no spiral).
"""

LIKELIHOODS = (REJECTION, FACE_ON, UNSUITABLE)
"""Names of all outputs of a rejector."""

ModelName = Annotated[str, pydantic.StringConstraints(pattern=r"^[a-z][a-z0-9]*_(m[0-9]+|reject)$")]


class _Frozen(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Model(_Frozen):
    """A served network: its origin and its accuracy.

    ``metrics`` are measured on galaxies that this network was not trained on; their keys end in the unit
    (``rms_deg``, ``mae_deg``, ``bias_deg``; a rejector's ``roc_area`` has none).
    """

    name: ModelName
    architecture: str
    version: Annotated[int, pydantic.Field(ge=1)]
    seed: int
    parameters: Annotated[int, pydantic.Field(ge=1)]
    training_galaxies: Annotated[int, pydantic.Field(ge=1)]
    metrics: dict[str, float]


class Flavor(Model):
    """One network of the ensemble. Bag 0 saw the whole training sample, every other bag a random 67 %."""

    bag: Annotated[int, pydantic.Field(ge=0)]


class Rejector(Model):
    """The classifier twin of an architecture: the likelihood that a person would reject the image, and why."""


class Quantiles(_Frozen):
    """Quantiles of the truth's distance from a median near ``at_deg``, in units of the scale (:class:`Calibration`).

    Attributes
    ----------
    at_deg : float
        Median inclination around which the quantiles were taken, degrees.
    low68, high68, low95, high95 : float
        Distances below and above the median, for the two-sided intervals.
    below95 : float
        Distance above the median of the upper limit at 95 %.
    """

    at_deg: float
    low68: Annotated[float, pydantic.Field(ge=0)]
    high68: Annotated[float, pydantic.Field(ge=0)]
    low95: Annotated[float, pydantic.Field(ge=0)]
    high95: Annotated[float, pydantic.Field(ge=0)]
    below95: Annotated[float, pydantic.Field(ge=0)]

    @pydantic.model_validator(mode="after")
    def _wider_for_more(self) -> Quantiles:
        if self.low68 > self.low95 or max(self.high68, self.below95) > self.high95:
            raise ValueError("an interval for 95 % must hold that for 68 %, and the bound")
        return self


class Calibration(_Frozen):
    """Turns the spread of an ensemble into intervals: normalised split conformal prediction, binned by inclination.

    The scale of a galaxy is ``hypot(floor_deg, stdev)``, where ``stdev`` is the ensemble's standard deviation in
    degrees. The quantiles are the empirical ones of ``(label - median) / scale`` over ``galaxies`` validation galaxies
    (Lei et al. 2018, JASA 113, 1094, section 5.2), taken around several medians (Mondrian: Vovk et al. 2003, Proc. 16th
    COLT); between those they are interpolated linearly.
    """

    floor_deg: Annotated[float, pydantic.Field(gt=0)]
    quantiles: Annotated[tuple[Quantiles, ...], pydantic.Field(min_length=1)]
    galaxies: Annotated[int, pydantic.Field(ge=1)]

    @pydantic.model_validator(mode="after")
    def _medians_rise(self) -> Calibration:
        at = [one.at_deg for one in self.quantiles]
        if at != sorted(set(at)):
            raise ValueError("the medians of the quantiles must rise")
        return self


class Manifest(_Frozen):
    """The one description of a model release's ensemble (``model_repo/manifest.json``)."""

    manifest_schema: Annotated[Literal[2], pydantic.Field(alias="schema")] = 2
    release: str
    tensorflow: str
    seed: int
    label_range_deg: tuple[float, float] = (0.0, 90.0)
    training_sample: dict[str, int | str]
    flavors: Annotated[tuple[Flavor, ...], pydantic.Field(min_length=1)]
    rejectors: tuple[Rejector, ...]
    calibration: Calibration
    metrics: dict[str, float]

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", populate_by_name=True, protected_namespaces=())

    @pydantic.model_validator(mode="after")
    def _names_are_unique(self) -> Manifest:
        names = [model.name for model in self.models]
        if len(set(names)) != len(names):
            raise ValueError("a model is listed twice")
        return self

    @property
    def models(self) -> tuple[Model, ...]:
        """All served networks, flavors first."""
        return (*self.flavors, *self.rejectors)


def read_manifest(path: Path) -> Manifest:
    """Read and validate a release's manifest.

    Raises
    ------
    OSError
        The file can't be read.
    pydantic.ValidationError
        The content is not a manifest of schema 2.
    """
    return Manifest.model_validate_json(path.read_bytes())


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write ``manifest`` as indented JSON, replacing ``path`` atomically."""
    with written_whole(path) as partial:
        partial.write_text(manifest.model_dump_json(indent=2, by_alias=True) + "\n", encoding="utf-8")
