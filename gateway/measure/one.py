"""The use case: the inclination of a target, or of the galaxy in an image. Independent of any protocol."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import structlog

from gateway.core import ensemble
from gateway.core.field_of_view import field_around
from gateway.core.models import (
    AUTO,
    WHOLE,
    Cutout,
    Deadline,
    Ellipse,
    EnsemblePrediction,
    Framing,
    Galaxy,
    ImageInput,
    Target,
)
from gateway.images import ellipse
from gateway.images.prepare import Imaging, prepare
from gateway.measure.targets import Fetched, Targets, stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    import numpy as np
    from numpy.typing import NDArray

    from gateway.core.manifest import Manifest
    from gateway.images.prepare import ImageData
    from gateway.sky import Sky


log = structlog.get_logger(__name__)


class ReadsImages(Protocol):
    """Reads model inputs with the ensemble (:class:`gateway.inference.microbatching.Batcher`)."""

    async def read(self, pixels: NDArray[np.uint8], deadline: Deadline) -> EnsemblePrediction:
        """Return the networks' answers for one model input."""


@dataclass(frozen=True, slots=True)
class Ellipticity:
    """The classical estimate: the fitted ellipse and the inclination of its axis ratio."""

    ellipse: Ellipse
    inclination_deg: float
    r: float


@dataclass(frozen=True, slots=True)
class MeasuredGalaxy:
    """The answer about one galaxy.

    Attributes
    ----------
    image : ImageInput
    source : str
        ``upload``, or the survey's name.
    inclination : ensemble.Inclination
    reading : EnsemblePrediction
        Answers of the networks.
    rejection : ensemble.RejectionLikelihood, optional
        None when no rejector answered.
    ellipticity : Ellipticity, optional
        None when no isophote could be fitted.
    release : str
        The model release.
    warnings : tuple of str
        Warnings in plain words.
    galaxy, cutout : optional
        The galaxy and its cutout, where a target was asked about; None for an upload.
    """

    image: ImageInput
    source: str
    inclination: ensemble.Inclination
    reading: EnsemblePrediction
    rejection: ensemble.RejectionLikelihood | None
    ellipticity: Ellipticity | None
    release: str
    warnings: tuple[str, ...]
    galaxy: Galaxy | None = None
    cutout: Cutout | None = None


class Inclinations:
    """Measures inclinations.

    Parameters
    ----------
    manifest : Manifest
        The release that the networks belong to.
    networks : ReadsImages
    sky : Sky
        Resolves targets and fetches their cutouts.
    executor : concurrent.futures.Executor
        Decodes the images; its size limits how many are decoded at once.
    max_pixels : int
        Most pixels of an image.
    observe : callable
        Called with ``(stage, seconds)`` after every step.
    answered : callable
        Called with every answer, to count signs of drift.
    """

    def __init__(
        self,
        *,
        manifest: Manifest,
        networks: ReadsImages,
        sky: Sky,
        executor: Executor,
        max_pixels: int,
        observe: Callable[[str, float], None],
        answered: Callable[[MeasuredGalaxy], None] = lambda _answer: None,
    ) -> None:
        self._manifest = manifest
        self._networks = networks
        self._targets = Targets(sky, observe)
        self._executor = executor
        self._max_pixels = max_pixels
        self._observe = observe
        self._answered = answered

    async def of_image(
        self,
        image: ImageData,
        *,
        deadline: Deadline,
        r: float = ellipse.INTRINSIC_AXIS_RATIO,
        framing: Framing = AUTO,
    ) -> MeasuredGalaxy:
        """Return the inclination of the galaxy in an image.

        Parameters
        ----------
        image : bytes or uint8 [H, W, 3]
            A JPEG, PNG, GIF, TIFF, WebP or FITS file, or decoded pixels, such as a model input.
        deadline : Deadline
        r : float
            Intrinsic axis ratio for the ellipticity inclination.
        framing : Framing
            Which part of a file is measured; decoded pixels are always measured as a whole.

        Raises
        ------
        errors.ImageError
            The image can't be used.
        errors.BadTarget
            The position in ``framing`` is outside the image, or shows nothing.
        errors.EnsembleError, errors.DeadlineExceeded
            The networks did not answer.
        """
        structlog.contextvars.bind_contextvars(target="upload")
        return await self._measure(image, source="upload", deadline=deadline, r=r, framing=framing)

    async def of_imaging(
        self,
        files: Sequence[bytes],
        target: Target,
        *,
        deadline: Deadline,
        bands: Sequence[str] = (),
        r: float = ellipse.INTRINSIC_AXIS_RATIO,
    ) -> MeasuredGalaxy:
        """Return the inclination of a target that is cut from a user's own FITS images, as from a survey's.

        For a position no service is called: a size that the offline catalogues lack is measured in the picture.

        Parameters
        ----------
        files, bands
            Files and their bands; see :func:`gateway.images.mosaic.cut.cut`.
        target : Target
        deadline : Deadline
        r : float
            Intrinsic axis ratio for the ellipticity inclination.

        Raises
        ------
        errors.GatewayError
            See :meth:`gateway.measure.targets.Targets.resolve`, :func:`gateway.images.mosaic.cut.cut` and
            :meth:`of_image`.
        """
        galaxy, contradictions = await self._targets.find(target, deadline=deadline, sized=False)
        asked = Imaging(tuple(files), field_around(galaxy, target), tuple(bands))
        answer = await self._measure(asked, source="upload", deadline=deadline, r=r, framing=WHOLE, galaxy=galaxy)
        return replace(answer, warnings=(*contradictions, *answer.warnings))

    async def resolve(self, target: Target, *, deadline: Deadline) -> Galaxy:
        """Return the galaxy of a target; see :meth:`gateway.measure.targets.Targets.resolve`."""
        return await self._targets.resolve(target, deadline=deadline)

    async def of_target(
        self,
        target: Target,
        *,
        deadline: Deadline,
        survey: str | None = None,
        r: float = ellipse.INTRINSIC_AXIS_RATIO,
    ) -> MeasuredGalaxy:
        """Return the inclination of a target: resolve it, fetch its cutout, measure the cutout.

        Parameters
        ----------
        target : Target
        deadline : Deadline
        survey : str, optional
            Key of the survey to ask for the image; the default one unless given.
        r : float
            Intrinsic axis ratio for the ellipticity inclination.

        Raises
        ------
        errors.GatewayError
            See :meth:`gateway.measure.targets.Targets.fetch` and :meth:`of_image`.
        """
        fetched = await self._targets.fetch(target, deadline=deadline, survey=survey)
        return await self.of_fetched(fetched, deadline=deadline, r=r)

    async def of_fetched(
        self, fetched: Fetched, *, deadline: Deadline, r: float = ellipse.INTRINSIC_AXIS_RATIO
    ) -> MeasuredGalaxy:
        """Return the inclination of a galaxy whose cutout has been fetched; errors as :meth:`of_image`."""
        answer = await self._measure(
            fetched.cutout.data,
            source=fetched.cutout.survey,
            deadline=deadline,
            r=r,
            # a cutout is already framed by the galaxy's position and size
            framing=WHOLE,
            galaxy=fetched.galaxy,
            cutout=fetched.cutout,
        )
        return replace(answer, warnings=(*fetched.warnings, *answer.warnings)) if fetched.warnings else answer

    async def _measure(
        self,
        data: ImageData,
        *,
        source: str,
        deadline: Deadline,
        r: float,
        framing: Framing,
        galaxy: Galaxy | None = None,
        cutout: Cutout | None = None,
    ) -> MeasuredGalaxy:
        loop = asyncio.get_running_loop()
        with stage(self._observe, "decode"):
            image = await loop.run_in_executor(self._executor, prepare, data, self._max_pixels, framing, deadline)
        with stage(self._observe, "predict"):
            reading = await self._networks.read(image.pixels, deadline)
        inclination = ensemble.combine(
            [flavor.inclination_deg for flavor in reading.flavors],
            self._manifest.calibration,
            self._manifest.label_range_deg,
        )
        rejection = ensemble.rejection_of(reading.rejectors)
        classical = None
        if image.ellipse is not None:
            classical = Ellipticity(image.ellipse, ellipse.inclination_deg(image.ellipse.axis_ratio, r), r)
        answer = MeasuredGalaxy(
            image=image,
            source=source,
            inclination=inclination,
            reading=reading,
            rejection=rejection,
            ellipticity=classical,
            release=self._manifest.release,
            warnings=(
                *image.warnings,
                *(galaxy.warnings if galaxy else ()),
                *ensemble.warnings(
                    inclination,
                    rejection,
                    classical.inclination_deg if classical else None,
                    reading,
                    self._manifest.label_range_deg,
                ),
            ),
            galaxy=galaxy,
            cutout=cutout,
        )
        self._answered(answer)
        if inclination.stdev_deg > ensemble.DISAGREEMENT_DEG:
            # the log names such images, since a person should look at them
            said = {flavor.name: round(flavor.inclination_deg, 1) for flavor in reading.flavors}
            log.warning("networks disagree", stdev_deg=round(inclination.stdev_deg, 2), flavors=said)
        return answer
