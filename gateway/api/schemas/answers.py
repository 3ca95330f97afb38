"""Answers about a galaxy and its inclination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from gateway.api.schemas.base import Coordinate, Fraction, Hundredths, Schema, Thousandths
from gateway.api.schemas.images import ImageFacts, ImageFrame, image_data_url, png_data_url
from gateway.tables.results import RESOLUTION_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.measure.one import MeasuredGalaxy


class IntervalAnswer(Schema):
    """A closed interval, degrees."""

    low: Hundredths = Field(description="Lower end, deg.", examples=[58.4])
    high: Hundredths = Field(description="Upper end, deg.", examples=[63.1])


class GalaxyAnswer(Schema):
    """A resolved target."""

    name: str | None = Field(description="Name that the resolver prefers.", examples=["NGC 7331"])
    pgc: int | None = Field(description="Principal Galaxies Catalogue number.", examples=[69327])
    ra_deg: Coordinate = Field(description="Right ascension, deg, J2000.", examples=[339.267])
    dec_deg: Coordinate = Field(description="Declination, deg, J2000.", examples=[34.4156])
    d25_arcmin: Thousandths | None = Field(description="Major diameter at 25 mag/arcsec^2, arcmin.", examples=[9.33])
    axis_ratio: Fraction | None = Field(description="Minor over major axis, 0..1.", examples=[0.39])
    position_angle_deg: Hundredths | None = Field(description="Of the major axis, deg east of north.", examples=[169.7])
    source: str = Field(description="Catalogue or service that said so.", examples=["OpenNGC"])
    size_source: str | None = Field(
        default=None, description="Where the diameter is from, and how, if it is no D25.", examples=["HyperLEDA"]
    )
    warnings: list[str] = Field(default=[], description="In plain words: what to be wary of.", examples=[[]])

    def row(self) -> dict[str, Any]:
        """Return the values of :data:`gateway.tables.results.RESOLUTION_COLUMNS`."""
        row = self.model_dump()
        row["galaxy_source"] = row.pop("source")
        return row | {"warnings": " ".join(self.warnings)}


class InclinationValues(Schema):
    """The ensemble's answer, degrees: 0 is face-on, 90 edge-on."""

    median_deg: Hundredths = Field(description="Median of the flavors: the answer.", examples=[60.8])
    mean_deg: Hundredths = Field(description="Mean of the flavors.", examples=[60.6])
    stdev_deg: Hundredths = Field(description="Standard deviation of the flavors.", examples=[1.1])
    interval68_deg: IntervalAnswer = Field(
        description="Calibrated: holds the inclination of 68 % of galaxies on the human scale."
    )
    interval95_deg: IntervalAnswer = Field(
        description="Calibrated: holds the inclination of 95 % of galaxies on the human scale."
    )
    below95_deg: Hundredths | None = Field(
        description="One-sided bound, where the 95 % interval reaches the lowest that the networks can say: it is "
        "above the inclination of 95 % of galaxies on the human scale. Null elsewhere.",
        examples=[None],
    )
    range_deg: IntervalAnswer = Field(description="Lowest and highest flavor.")


class FlavorAnswer(Schema):
    """What one network answered."""

    name: str = Field(description="`<architecture>_m<bag>`.", examples=["vgg6_m0"])
    version: int = Field(description="Served version that answered.", examples=[1])
    inclination_deg: Hundredths = Field(description="Inclination, deg.", examples=[60.8])


class RejectorAnswer(Schema):
    """What one rejector answered: a likelihood, 0..1, and its two parts."""

    name: str = Field(description="`<architecture>_reject`.", examples=["vgg6_reject"])
    version: int = Field(description="Served version that answered.", examples=[1])
    rejection: Fraction = Field(description="Likelihood that a person would reject the image.", examples=[0.04])
    face_on: Fraction = Field(description="Its part for being too face-on.", examples=[0.01])
    unsuitable: Fraction = Field(description="Its part for anything else.", examples=[0.03])


class Rejection(Schema):
    """How likely a person would reject the image, and why: medians of the rejectors, 0..1, null without any.

    Galaxies were judged for the Tully-Fisher relation, for which those below 45 deg are too face-on.
    """

    median: Fraction | None = Field(description="Likelihood that a person would reject the image.", examples=[0.04])
    face_on: Fraction | None = Field(
        description="Its part for being too face-on, below 45 deg; the inclination is measured all the same.",
        examples=[0.01],
    )
    unsuitable: Fraction | None = Field(
        description="Its part for being disturbed, crowded, poor or not a spiral.", examples=[0.03]
    )
    rejectors: list[RejectorAnswer] = Field(description="Each rejector that answered.")


class FittedEllipse(Schema):
    """The fitted isophote, in units of the whole picture: positions from the left and top, axes of its longer side.

    So also when a smaller frame of the picture was measured.
    """

    x: Fraction = Field(description="Centre, fraction of the width.", examples=[0.5])
    y: Fraction = Field(description="Centre, fraction of the height.", examples=[0.5])
    semi_major: Fraction = Field(description="Fraction of the longer side.", examples=[0.31])
    semi_minor: Fraction = Field(description="Fraction of the longer side.", examples=[0.16])
    angle_deg: Hundredths = Field(description="Major axis, counter-clockwise from the right.", examples=[2.5])


class EllipticityAnswer(Schema):
    """The classical estimate, for comparison: cos^2 i = (q^2 - r^2) / (1 - r^2)."""

    axis_ratio: Fraction = Field(description="q of the fitted isophote, 0..1.", examples=[0.52])
    inclination_deg: Hundredths = Field(description="Inclination, deg.", examples=[63.6])
    r: float = Field(description="Assumed axis ratio of an edge-on disc.", examples=[0.3])
    ellipse: FittedEllipse


class InclinationAnswer(Schema):
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
    def of(cls, answer: MeasuredGalaxy, include: Collection[str] = ()) -> InclinationAnswer:
        """Present an answer; ``include`` may name ``model_input`` and ``cutout``."""
        image, said, fit, cutout = answer.image, answer.rejection, answer.ellipticity, answer.cutout
        return cls(
            galaxy=GalaxyAnswer.model_validate(answer.galaxy) if answer.galaxy else None,
            image=ImageFacts(
                source=answer.source,
                format=image.format,
                width=image.width,
                height=image.height,
                stretch=image.stretch,
                part=image.part,
                frame=ImageFrame.model_validate(image.frame),
                fov_arcmin=cutout.fov_arcmin if cutout else None,
                position_angle_deg=cutout.position_angle_deg if cutout else None,
                model_input=png_data_url(image.pixels) if "model_input" in include else None,
                cutout=image_data_url(cutout.data, image.format) if cutout and "cutout" in include else None,
            ).cut_from_imaging(image.cutout, shown="cutout" in include),
            inclination=InclinationValues.model_validate(answer.inclination),
            flavors=[FlavorAnswer.model_validate(one) for one in answer.reading.flavors],
            rejection=Rejection(
                median=said.median if said else None,
                face_on=said.face_on if said else None,
                unsuitable=said.unsuitable if said else None,
                rejectors=[RejectorAnswer.model_validate(one) for one in answer.reading.rejectors],
            ),
            ellipticity=EllipticityAnswer(
                axis_ratio=fit.ellipse.axis_ratio,
                inclination_deg=fit.inclination_deg,
                r=fit.r,
                ellipse=FittedEllipse.model_validate(fit.ellipse),
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
            "below95_deg": values.below95_deg,
            "n_flavors": len(self.flavors),
            "rejection": self.rejection.median,
            "rejection_face_on": self.rejection.face_on,
            "rejection_unsuitable": self.rejection.unsuitable,
            "ellipticity_axis_ratio": fit.axis_ratio if fit else None,
            "ellipticity_inclination_deg": fit.inclination_deg if fit else None,
            "release": self.release,
            "warnings": " ".join(self.warnings),
        }
