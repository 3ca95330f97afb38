"""Images of the sky that stay open from one galaxy to the next, with their masks and weights."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from batch.imaging.footprints import images_of
from gateway.core import errors
from gateway.images.mosaic.files import TILES_BYTES, damage_as_bad_image, opened, with_companions
from gateway.images.mosaic.sections import TileCache

if TYPE_CHECKING:
    from batch.imaging.matching import TileImage
    from gateway.images.mosaic.files import BandImage

GONE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""Errors for a missing file."""

_MOST = 48
"""Most files that are open at a time: those of the tiles around a galaxy, and of the next ones."""


def not_there(file: str) -> errors.BadImage:
    """Return the problem of a galaxy whose image is gone."""
    return errors.BadImage(f"An image of the sky is not there any more: {file}.")


class OpenImages:
    """The open images of one thread, and the last of their unpacked tiles.

    Parameters
    ----------
    cache_bytes : int
        Size limit of the cache of unpacked tiles, bytes.
    """

    def __init__(self, cache_bytes: int) -> None:
        self._tiles = TileCache(cache_bytes)
        self._open: OrderedDict[str, tuple[ExitStack, dict[tuple[int, int], BandImage]]] = OrderedDict()

    def image(self, tile: TileImage) -> BandImage:
        """Return an image, with its mask and weights.

        Raises
        ------
        errors.BadImage
            The image does not exist any more, or has changed.
        OSError
            The image can't be read.
        """
        if tile.file not in self._open:
            while len(self._open) >= _MOST:
                self._open.popitem(last=False)[1][0].close()
            stack = ExitStack()
            try:
                images = self._opened(tile, stack)
            except BaseException:
                stack.close()
                raise
            self._open[tile.file] = stack, {(one.unit.number, one.pixels.number): one for one in images}
        self._open.move_to_end(tile.file)
        image = self._open[tile.file][1].get((tile.hdu, tile.plane))
        if image is None:
            raise errors.BadImage(f"{tile.file} is not what it was when it was indexed.")
        return replace(image, band=tile.band)

    def _opened(self, tile: TileImage, stack: ExitStack) -> list[BandImage]:
        try:
            images = images_of(tile.file, (tile.band,), stack, compressed=tile.compressed, tiles=self._tiles)
        except GONE as error:
            raise not_there(tile.file) from error
        mask, weight = (_beside(file, stack) for file in (tile.mask, tile.weight))
        with damage_as_bad_image(files=True):
            return [with_companions(image, mask, weight, self._tiles) for image in images]

    def close(self) -> None:
        """Close the files."""
        for stack, _ in self._open.values():
            stack.close()
        self._open.clear()


def _beside(file: str | None, stack: ExitStack) -> BinaryIO | None:
    try:
        return None if file is None else opened(file, stack, TILES_BYTES)
    except GONE as error:
        raise not_there(str(file)) from error
