"""Facts about the measured image in an answer."""

from __future__ import annotations

import base64
import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from PIL import Image
from pydantic import Field

from gateway.api.schemas.base import Coordinate, Fraction, Hundredths, Schema, Tenths, Thousandths

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gateway.core.field_of_view import ImagingCutout


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
        """Return these facts with those of a cutout from a user's own images; unchanged without a cutout."""
        if own is None:
            return self
        facts = {
            "bands": own.bands,
            "pixel_arcsec": own.pixel_arcsec,
            "cutout": png_data_url(own.rgb) if shown else None,
        }
        return type(self).model_validate(self.model_dump() | asdict(own.field) | facts)


def png_data_url(pixels: NDArray[np.uint8]) -> str:
    """Return a picture, uint8 ``[H, W, 3]``, as a PNG data URL."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return image_data_url(buffer.getvalue(), "PNG")


def image_data_url(data: bytes, file_format: str) -> str:
    """Return an encoded image as a data URL."""
    return f"data:image/{file_format.lower()};base64,{base64.b64encode(data).decode('ascii')}"
