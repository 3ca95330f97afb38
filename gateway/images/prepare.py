"""Prepares an image: decodes it, chooses the frame, makes the model input and fits the ellipse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.core.models import AUTO, WHOLE, Frame, ImageInput
from gateway.images.decode import decode, make_picture
from gateway.images.frame import framed
from gateway.images.model_input import model_input

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gateway.core.field_of_view import ImagingCutout, SkyField, SkyPoint
    from gateway.core.models import Deadline, Framing


@dataclass(frozen=True, slots=True)
class Imaging:
    """Images of the sky, and the field to cut from them.

    Attributes
    ----------
    files : tuple of bytes
        FITS files with a celestial WCS.
    field : SkyField or SkyPoint
        Field to cut; only a position if the galaxy's size is unknown.
    bands : tuple of str
        Bands of the files; see :func:`gateway.images.mosaic.cut.cut`.
    """

    files: tuple[bytes, ...]
    field: SkyField | SkyPoint
    bands: tuple[str, ...] = ()


if TYPE_CHECKING:
    ImageData = bytes | NDArray[np.uint8] | Imaging


def prepare(data: ImageData, max_pixels: int, framing: Framing = AUTO, deadline: Deadline | None = None) -> ImageInput:
    """Decode an image, choose its frame, make its model input and fit its isophote.

    Raises
    ------
    errors.ImageError, errors.BadTarget
        See :func:`gateway.images.decode.decode`, :func:`gateway.images.mosaic.cut.cut` and
        :func:`gateway.images.frame.framed`.
    """
    cutout: ImagingCutout | None = None
    if isinstance(data, Imaging):
        from gateway.images.mosaic.cut import cut

        picture, cutout = cut(data.files, data.field, bands=data.bands, max_pixels=max_pixels, deadline=deadline)
        # the cutout is already framed by the galaxy's position and size
        framing = WHOLE
    elif isinstance(data, bytes):
        picture = decode(data, max_pixels=max_pixels, deadline=deadline)
    else:
        height, width = data.shape[:2]
        # pixels decoded elsewhere have had their empty parts filled there
        picture, framing = make_picture(data, "pixels", width, height, complete=True), WHOLE
    scale = picture.width / picture.rgb.shape[1]
    part = framed(picture.rgb, framing, scale=scale, outside=picture.outside)
    if (square := part.square) is None:
        frame = Frame(picture.width / 2, picture.height / 2, float(max(picture.width, picture.height)), "whole")
    else:
        place = scale * square.x, scale * square.y, scale * square.side
        frame = Frame(*place, "service" if framing.x is None else "caller")
    return ImageInput(
        pixels=model_input(part.rgb),
        width=picture.width,
        height=picture.height,
        format=picture.format,
        frame=frame,
        ellipse=part.ellipse,
        stretch=picture.stretch,
        part=picture.part,
        warnings=(*picture.warnings, *part.warnings),
        cutout=cutout,
    )
