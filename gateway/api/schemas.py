"""The JSON of the API, field by field, with an example for each."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from gateway.tables.results import RESOLUTION_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

    from gateway.core import ensemble
    from gateway.core.models import Frame, Galaxy
    from gateway.measure.one import Answer


class _Schema(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


class Problem(_Schema):
    """A failure, as RFC 9457 describes them. Some kinds have further members."""

    type: str = Field(description="Stable identifier of the kind.", examples=["urn:inclinet:problem:bad-image"])
    title: str = Field(description="The kind in words.", examples=["Image can't be used"])
    status: int = Field(description="HTTP status.", examples=[422])
    detail: str = Field(description="What happened this time.", examples=["The image file is truncated."])
    instance: str = Field(default="", description="Path that was asked.", examples=["/api/file"])


class Interval(_Schema):
    """A closed interval, degrees."""

    low: float = Field(description="Lower end, deg.", examples=[58.4])
    high: float = Field(description="Upper end, deg.", examples=[63.1])

    @classmethod
    def of(cls, value: ensemble.Interval) -> Interval:
        """Round to a hundredth of a degree."""
        return cls(low=round(value.low, 2), high=round(value.high, 2))


class GalaxyAnswer(_Schema):
    """A resolved target."""

    name: str | None = Field(description="Name that the resolver prefers.", examples=["NGC 7331"])
    pgc: int | None = Field(description="Principal Galaxies Catalogue number.", examples=[69327])
    ra_deg: float = Field(description="Right ascension, deg, J2000.", examples=[339.267])
    dec_deg: float = Field(description="Declination, deg, J2000.", examples=[34.4156])
    d25_arcmin: float | None = Field(description="Major diameter at 25 mag/arcsec^2, arcmin.", examples=[9.33])
    axis_ratio: float | None = Field(description="Minor over major axis, 0..1.", examples=[0.39])
    position_angle_deg: float | None = Field(description="Of the major axis, deg east of north.", examples=[169.7])
    source: str = Field(description="Catalogue or service that said so.", examples=["OpenNGC"])
    size_source: str | None = Field(
        default=None, description="Where the diameter is from, and how, if it is no D25.", examples=["HyperLEDA"]
    )
    warnings: list[str] = Field(default=[], description="In plain words: what to be wary of.", examples=[[]])

    @classmethod
    def of(cls, galaxy: Galaxy) -> GalaxyAnswer:
        """Present a resolved galaxy."""
        return cls(
            name=galaxy.name,
            pgc=galaxy.pgc,
            ra_deg=round(galaxy.ra_deg, 6),
            dec_deg=round(galaxy.dec_deg, 6),
            d25_arcmin=_rounded(galaxy.d25_arcmin, 3),
            axis_ratio=_rounded(galaxy.axis_ratio, 4),
            position_angle_deg=_rounded(galaxy.position_angle_deg, 2),
            source=galaxy.source,
            size_source=galaxy.size_source,
            warnings=list(galaxy.warnings),
        )

    def row(self) -> dict[str, Any]:
        """Return the values of :data:`gateway.tables.results.RESOLUTION_COLUMNS`."""
        row = self.model_dump()
        row["galaxy_source"] = row.pop("source")
        return row | {"warnings": " ".join(self.warnings)}


class ImageFrame(_Schema):
    """The square of the image that was measured, in pixels of the upright original; it may run over its edges."""

    x: float = Field(description="Centre, pixels from the left.", examples=[2041.5])
    y: float = Field(description="Centre, pixels from the top.", examples=[1320.0])
    side: float = Field(description="Pixels.", examples=[412.0])
    chosen_by: Literal["service", "caller", "whole"] = Field(
        description="`service` found a galaxy that is small or off centre, `caller` named it by `x` and `y`; `whole`: "
        "the whole image, padded to a square.",
        examples=["service"],
    )

    @classmethod
    def of(cls, frame: Frame) -> ImageFrame:
        """Round to a tenth of a pixel."""
        return cls(x=round(frame.x, 1), y=round(frame.y, 1), side=round(frame.side, 1), chosen_by=frame.chosen_by)


class ImageFacts(_Schema):
    """The image that was measured."""

    source: str = Field(description="`upload`, or the survey.", examples=["upload"])
    format: str = Field(description="File format.", examples=["JPEG"])
    width: int = Field(description="Pixels.", examples=[512])
    height: int = Field(description="Pixels.", examples=[512])
    stretch: str = Field(
        default="none",
        description="How samples became a picture of 8 bits: `none` (they were), `scaled to 8 bits` (a finished "
        "picture of more bits), `asinh` (measured pixels, stretched).",
        examples=["none"],
    )
    part: str | None = Field(
        default=None,
        description="Which of several images in the file was read, and which bands became red, green and blue.",
        examples=["SCI, extension 1 of 3"],
    )
    frame: ImageFrame | None = Field(default=None, description="What of the image was measured.")
    fov_arcmin: float | None = Field(default=None, description="Side of a survey cutout, arcmin.", examples=[14.0])
    position_angle_deg: float | None = Field(
        default=None, description="Position angle that a survey cutout was turned by, deg.", examples=[169.7]
    )
    model_input: str | None = Field(
        default=None,
        description="What the networks saw, 128x128, as a PNG data URL (with `include=model_input`).",
        examples=["data:image/png;base64,iVBORw0KGgo="],
    )
    cutout: str | None = Field(
        default=None,
        description="The survey's image, as a data URL (with `include=cutout`).",
        examples=["data:image/jpeg;base64,/9j/4AA="],
    )


class InclinationValues(_Schema):
    """The ensemble's answer, degrees: 0 is face-on, 90 edge-on."""

    median_deg: float = Field(description="Median of the flavors: the answer.", examples=[60.8])
    mean_deg: float = Field(description="Mean of the flavors.", examples=[60.6])
    stdev_deg: float = Field(description="Standard deviation of the flavors.", examples=[1.1])
    interval68_deg: Interval = Field(description="Calibrated: holds the human value of 68 % of galaxies.")
    interval95_deg: Interval = Field(description="Calibrated: holds the human value of 95 % of galaxies.")
    range_deg: Interval = Field(description="Lowest and highest flavor.")


class FlavorAnswer(_Schema):
    """One network's word."""

    name: str = Field(description="`<architecture>_m<bag>`.", examples=["vgg6_m0"])
    version: int = Field(description="Served version that answered.", examples=[1])
    inclination_deg: float = Field(description="Inclination, deg.", examples=[60.8])


class RejectorWord(_Schema):
    """One rejector's word."""

    name: str = Field(description="`<architecture>_reject`.", examples=["vgg6_reject"])
    version: int = Field(description="Served version that answered.", examples=[1])
    rejection: float = Field(description="Likelihood that a person would reject the image, 0..1.", examples=[0.04])


class Rejection(_Schema):
    """How likely a person would reject the image: too face-on, disturbed, not a spiral, a poor image."""

    median: float | None = Field(description="Median of the rejectors, 0..1; null if none answered.", examples=[0.04])
    rejectors: list[RejectorWord] = Field(description="Each rejector that answered.")


class FittedEllipse(_Schema):
    """The fitted isophote, in units of the whole picture: positions from the left and top, axes of its longer side.

    So also when a smaller frame of the picture was measured.
    """

    x: float = Field(description="Centre, fraction of the width.", examples=[0.5])
    y: float = Field(description="Centre, fraction of the height.", examples=[0.5])
    semi_major: float = Field(description="Fraction of the longer side.", examples=[0.31])
    semi_minor: float = Field(description="Fraction of the longer side.", examples=[0.16])
    angle_deg: float = Field(description="Major axis, counter-clockwise from the right.", examples=[2.5])


class EllipticityAnswer(_Schema):
    """The classical estimate, for comparison: cos^2 i = (q^2 - r^2) / (1 - r^2)."""

    axis_ratio: float = Field(description="q of the fitted isophote, 0..1.", examples=[0.52])
    inclination_deg: float = Field(description="Inclination, deg.", examples=[63.6])
    r: float = Field(description="Assumed axis ratio of an edge-on disc.", examples=[0.3])
    ellipse: FittedEllipse


class InclinationAnswer(_Schema):
    """The answer to one question."""

    galaxy: GalaxyAnswer | None = Field(default=None, description="The resolved target; absent for an upload.")
    image: ImageFacts
    inclination: InclinationValues
    flavors: list[FlavorAnswer] = Field(description="Every flavor that answered, in the manifest's order.")
    rejection: Rejection
    ellipticity: EllipticityAnswer | None = Field(description="Null when no isophote could be fitted.")
    release: str = Field(description="Model release.", examples=["2026.11"])
    warnings: list[str] = Field(
        description="What a careful reader should know, in plain words.",
        examples=[["The networks disagree (standard deviation 7.2 deg): look at the image yourself."]],
    )

    @classmethod
    def of(cls, answer: Answer, include: Collection[str] = ()) -> InclinationAnswer:
        """Present an answer; ``include`` may name ``model_input`` and ``cutout``."""
        values, fit, cutout = answer.inclination, answer.ellipticity, answer.cutout
        return cls(
            galaxy=GalaxyAnswer.of(answer.galaxy) if answer.galaxy else None,
            image=ImageFacts(
                source=answer.source,
                format=answer.image.format,
                width=answer.image.width,
                height=answer.image.height,
                stretch=answer.image.stretch,
                part=answer.image.part,
                frame=ImageFrame.of(answer.image.frame),
                fov_arcmin=_rounded(cutout.fov_arcmin, 3) if cutout else None,
                position_angle_deg=_rounded(cutout.position_angle_deg, 2) if cutout else None,
                model_input=png_data_url(answer.image.pixels) if "model_input" in include else None,
                cutout=image_data_url(cutout.data, answer.image.format) if cutout and "cutout" in include else None,
            ),
            inclination=InclinationValues(
                median_deg=round(values.median_deg, 2),
                mean_deg=round(values.mean_deg, 2),
                stdev_deg=round(values.stdev_deg, 2),
                interval68_deg=Interval.of(values.interval68_deg),
                interval95_deg=Interval.of(values.interval95_deg),
                range_deg=Interval.of(values.range_deg),
            ),
            flavors=[
                FlavorAnswer(name=one.name, version=one.version, inclination_deg=round(one.value, 2))
                for one in answer.reading.flavors
            ],
            rejection=Rejection(
                median=_rounded(answer.rejection, 4),
                rejectors=[
                    RejectorWord(name=one.name, version=one.version, rejection=round(one.value, 4))
                    for one in answer.reading.rejectors
                ],
            ),
            ellipticity=EllipticityAnswer(
                axis_ratio=round(fit.ellipse.axis_ratio, 4),
                inclination_deg=round(fit.inclination_deg, 2),
                r=fit.r,
                ellipse=FittedEllipse(
                    x=round(fit.ellipse.x, 4),
                    y=round(fit.ellipse.y, 4),
                    semi_major=round(fit.ellipse.semi_major, 4),
                    semi_minor=round(fit.ellipse.semi_minor, 4),
                    angle_deg=round(fit.ellipse.angle_deg, 2),
                ),
            )
            if fit
            else None,
            release=answer.release,
            warnings=list(answer.warnings),
        )

    def row(self) -> dict[str, Any]:
        """Return the values of :data:`gateway.tables.results.INCLINATION_COLUMNS` and of the galaxy."""
        values, fit = self.inclination, self.ellipticity
        galaxy = self.galaxy.row() if self.galaxy else {column.name: None for column in RESOLUTION_COLUMNS}
        return galaxy | {
            "image_source": self.image.source,
            "inclination_deg": values.median_deg,
            "mean_deg": values.mean_deg,
            "stdev_deg": values.stdev_deg,
            "interval68_low_deg": values.interval68_deg.low,
            "interval68_high_deg": values.interval68_deg.high,
            "interval95_low_deg": values.interval95_deg.low,
            "interval95_high_deg": values.interval95_deg.high,
            "n_flavors": len(self.flavors),
            "rejection": self.rejection.median,
            "ellipticity_axis_ratio": fit.axis_ratio if fit else None,
            "ellipticity_inclination_deg": fit.inclination_deg if fit else None,
            "release": self.release,
            "warnings": " ".join(self.warnings),
        }


class ColumnUse(_Schema):
    """What a column of a table is taken for."""

    column: str = Field(description="The column's name; of a split coordinate all of them.", examples=["RAJ2000"])
    unit: str | None = Field(description="Unit that the table declares.", examples=["deg"])
    read_as: str = Field(description="How its cells are read.", examples=["degrees"])


class FirstRow(_Schema):
    """One of the first rows of a table, as it would be asked."""

    key: str = Field(description="The row's own key.", examples=["PGC 2557"])
    asked: str | None = Field(description="What would be asked.", examples=["PGC 2557"])
    problem: str | None = Field(description="Why nothing can be asked.", examples=[None])
    warnings: list[str] = Field(description="What of the row is passed over.", examples=[[]])


class ColumnsAnswer(_Schema):
    """What the columns of a table are taken for."""

    columns: dict[str, ColumnUse] = Field(description="Role to column: key, pgc, name, ra, dec, fov, pa, file.")
    more_names: list[str] = Field(
        description="Columns of catalogue numbers that name a row where its name is empty.", examples=[["IC"]]
    )
    ignored: list[str] = Field(description="Columns that say nothing of what is asked.", examples=[["mag"]])
    warnings: list[str] = Field(description="What a person should look at.", examples=[[]])
    first_rows: list[FirstRow] = Field(description="The first rows, at most three.")


class ModelVersion(_Schema):
    """One version of a served network."""

    version: int = Field(description="Version number.", examples=[1])
    state: str = Field(description="State in TensorFlow Serving.", examples=["AVAILABLE"])
    error: str = Field(default="", description="Why it failed to load, if it did.", examples=[""])


class ServedModel(_Schema):
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


class Models(_Schema):
    """The model release."""

    release: str = Field(description="Model release.", examples=["2026.11"])
    label_range_deg: tuple[float, float] = Field(description="What the networks can say, deg.", examples=[(45.0, 90.0)])
    quorum: int = Field(description="Flavors that must answer.", examples=[3])
    versions_pinned: bool = Field(
        description="Whether the released versions alone are asked; else the newest served.", examples=[True]
    )
    metrics: dict[str, float] = Field(
        description="Of the ensemble's median, on galaxies that no network was trained on.",
        examples=[{"rms_deg": 3.0, "mae_deg": 2.0}],
    )
    models: list[ServedModel] = Field(description="Flavors, then rejectors.")


class Health(_Schema):
    """The state of this replica."""

    status: str = Field(description="`ok`, or what is missing or served instead.", examples=["ok"])
    flavors_available: int | None = Field(default=None, description="Flavors that can be asked.", examples=[4])
    quorum: int | None = Field(default=None, description="Flavors that must be.", examples=[3])


def png_data_url(pixels: NDArray[np.uint8]) -> str:
    """Encode a picture, uint8 ``[H, W, 3]``, as a PNG data URL."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return image_data_url(buffer.getvalue(), "PNG")


def image_data_url(data: bytes, file_format: str) -> str:
    """Put an encoded image into a data URL."""
    return f"data:image/{file_format.lower()};base64,{base64.b64encode(data).decode('ascii')}"


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
