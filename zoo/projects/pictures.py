"""Pictures of galaxies for measuring: from the standards' archive, from a file, or cut out of a survey."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, cast

from PIL import Image

from gateway.core import errors
from gateway.core.models import Deadline, Target
from gateway.images.decode import decode
from gateway.measure.targets import Targets

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sky import Sky
    from zoo.database.models import LeaseRow, StandardRow
    from zoo.standards.archive import StandardsArchive

_AS_THEY_ARE = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"RIFF": "image/webp"}
"""Media types that every browser shows, by a file's first bytes."""


class TargetPictures:
    """Finds pictures.

    Parameters
    ----------
    archive : StandardsArchive
    folder : Path, optional
        Folder of the operator's own files.
    sky : Sky
    """

    def __init__(self, archive: StandardsArchive, folder: Path | None, sky: Sky) -> None:
        self._archive = archive
        self._folder = folder.resolve() if folder is not None else None
        self._targets = Targets(sky)

    async def of_lease(self, lease: LeaseRow, deadline: Deadline) -> tuple[bytes, str]:
        """Return the picture of the galaxy of a lease, and its media type.

        Raises
        ------
        errors.ImageError, errors.TargetError, errors.UpstreamError, errors.DeadlineExceeded
        """
        target = lease.target
        if target is None:
            return await self.of_standard(cast("StandardRow", lease.standard), deadline)
        if target.pgc is not None:
            wanted = Target(pgc=target.pgc, fov_arcmin=target.fov_arcmin)
        else:
            wanted = Target(ra=f"{target.ra_deg}", dec=f"{target.dec_deg}", fov_arcmin=target.fov_arcmin)
        return await self._found(target.file, wanted, lease.project.survey, deadline)

    async def of_standard(self, standard: StandardRow, deadline: Deadline) -> tuple[bytes, str]:
        """Return the picture of a standard, and its media type; errors as :meth:`of_lease`."""
        if standard.error_deg > 0:
            return await self._found(standard.file, Target(pgc=standard.pgc), None, deadline)
        try:
            return self._archive.picture(standard.name), "image/webp"
        except KeyError:
            raise errors.BadImage(
                "The picture of this standard is not in the archive that the zoo runs with."
            ) from None

    async def _found(
        self, file: str | None, wanted: Target, survey: str | None, deadline: Deadline
    ) -> tuple[bytes, str]:
        if file is not None:
            return await asyncio.to_thread(self._of_file, file)
        fetched = await self._targets.fetch(wanted, deadline=deadline, survey=survey)
        return await asyncio.to_thread(_shown, fetched.cutout.data)

    def has(self, file: str) -> bool:
        """Return whether the operator's folder, and only it, holds this file."""
        path = self._path(file)
        return path is not None and path.is_file()

    def _path(self, file: str) -> Path | None:
        if self._folder is None:
            return None
        path = (self._folder / file).resolve()
        return path if path.is_relative_to(self._folder) else None

    def _of_file(self, file: str) -> tuple[bytes, str]:
        path = self._path(file)
        try:
            data = path.read_bytes() if path is not None else b""
        except OSError:
            data = b""
        if not data:
            raise errors.BadImage("The picture of this galaxy is missing from the zoo's folder of pictures.")
        return _shown(data)


def _shown(data: bytes) -> tuple[bytes, str]:
    """Return a picture in a browser's format: unchanged if the browser knows it, else as PNG."""
    for start, media in _AS_THEY_ARE.items():
        if data.startswith(start):
            return data, media
    encoded = io.BytesIO()
    Image.fromarray(decode(data).rgb).save(encoded, "PNG")
    return encoded.getvalue(), "image/png"
