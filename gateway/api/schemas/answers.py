"""Answers about a galaxy and its inclination."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

from PIL import Image
from pydantic import AfterValidator, Field

from gateway.api.schemas.base import Schema
from gateway.tables.results import RESOLUTION_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

    from gateway.core.field_of_view import ImagingCutout
    from gateway.measure.one import MeasuredGalaxy


def _to(digits: int) -> AfterValidator:
    return AfterValidator(lambda value: round(value, digits))


Tenths = Annotated[float, _to(1)]
Hundredths = Annotated[float, _to(2)]
Thousandths = Annotated[float, _to(3)]
Fraction = Annotated[float, _to(4)]
Coordinate = Annotated[float, _to(6)]
"""Degrees, to four thousandths of an arcsec."""


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


class ImageFrame(Schema):
    """The square of the image that was measured, in pixels of the upright original; it may run over its edges."""

    x: Tenths = Field(description="Centre, pixels from the left.", examples=[2041.5])
    y: Tenths = Field(description="Centre, pixels from the top.", examples=[1320.0])
    side: Tenths = Field(description="Pixels.", examples=[412.0])
    chosen_by: Literal["service", "caller", "whole"] = Field(
        description="`service` found a galaxy that is small or off centre, `caller` named it by `x` and `y`; `whole`: "
        "the whole image, padded to a square.",
        examples=["service"],
    )


class ImageFacts(Schema):
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
    fov_arcmin: Thousandths | None = Field(default=None, description="Side of a cutout, arcmin.", examples=[14.0])
    position_angle_deg: Hundredths | None = Field(
        default=None, description="Position angle that a cutout was turned by, deg.", examples=[169.7]
    )
    ra_deg: Coordinate | None = Field(
        default=None, description="Centre of a cutout from uploaded images, deg (ICRS).", examples=[339.267]
    )
    dec_deg: Coordinate | None = Field(default=None, description="As above.", examples=[34.4156])
    bands: list[str] | None = Field(
        default=None,
        description="Bands of uploaded images that are red, green and blue in a cutout from them; two are red and "
        "blue, one is gray.",
        examples=[["i", "r", "g"]],
    )
    pixel_arcsec: Fraction | None = Field(
        default=None, description="Side of a pixel of the uploaded images there, arcsec.", examples=[0.262]
    )
    model_input: str | None = Field(
        default=None,
        description="What the networks saw, 128x128, as a PNG data URL (with `include=model_input`).",
        examples=["data:image/png;base64,iVBORw0KGgo="],
    )
    cutout: str | None = Field(
        default=None,
        description="The survey's image, or what was cut from uploaded ones, as a data URL (with `include=cutout`).",
        examples=["data:image/jpeg;base64,/9j/4AA="],
    )

    def cut_from_imaging(self, own: ImagingCutout | None, *, shown: bool) -> ImageFacts:
        """Return these facts with those of a cutout from a user's own images; unchanged where there is none."""
        if own is None:
            return self
        facts = {
            "bands": own.bands,
            "pixel_arcsec": own.pixel_arcsec,
            "cutout": png_data_url(own.rgb) if shown else None,
        }
        return type(self).model_validate(self.model_dump() | asdict(own.field) | facts)


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


def png_data_url(pixels: NDArray[np.uint8]) -> str:
    """Encode a picture, uint8 ``[H, W, 3]``, as a PNG data URL."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return image_data_url(buffer.getvalue(), "PNG")


def image_data_url(data: bytes, file_format: str) -> str:
    """Put an encoded image into a data URL."""
    return f"data:image/{file_format.lower()};base64,{base64.b64encode(data).decode('ascii')}"
