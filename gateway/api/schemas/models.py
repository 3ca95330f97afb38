"""The model release and its networks."""

from __future__ import annotations

from pydantic import Field

from gateway.api.schemas.base import Schema


class ModelVersion(Schema):
    """One version of a served network."""

    version: int = Field(description="Version number.", examples=[1])
    state: str = Field(description="State in TensorFlow Serving.", examples=["AVAILABLE"])
    error: str = Field(default="", description="Why it failed to load, if it did.", examples=[""])


class ServedModel(Schema):
    """One network of the release, and what TensorFlow Serving says of it."""

    name: str = Field(description="Served name.", examples=["vgg6_m0"])
    kind: str = Field(description="`flavor` or `rejector`.", examples=["flavor"])
    architecture: str = Field(description="Its architecture.", examples=["vgg6"])
    bag: int | None = Field(description="Bag of the training sample; null for a rejector.", examples=[0])
    parameters: int = Field(description="Trained parameters.", examples=[1600000])
    training_galaxies: int = Field(description="Galaxies it was trained on.", examples=[1000])
    metrics: dict[str, float] = Field(
        description="Measured on galaxies that it was not trained on.", examples=[{"rms_deg": 3.2}]
    )
    released_version: int = Field(description="Version of the release.", examples=[1])
    released_version_available: bool = Field(description="Whether that one can be asked.", examples=[True])
    versions: list[ModelVersion] = Field(description="Versions known to TensorFlow Serving, highest first.")


class Models(Schema):
    """The model release."""

    release: str = Field(description="Model release.", examples=["2026.11"])
    label_range_deg: tuple[float, float] = Field(description="What the networks can say, deg.", examples=[(0.0, 90.0)])
    quorum: int = Field(description="Flavors that must answer.", examples=[3])
    versions_pinned: bool = Field(
        description="Whether the released versions alone are asked; else the newest served.", examples=[True]
    )
    metrics: dict[str, float] = Field(
        description="Of the ensemble's median, on galaxies that no network was trained on.",
        examples=[{"rms_deg": 3.0, "mae_deg": 2.0}],
    )
    models: list[ServedModel] = Field(description="Flavors, then rejectors.")
