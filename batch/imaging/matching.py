"""Finds the images that show a position on the sky, by their corners in the index of footprints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet

from batch import storage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

CORNERS = tuple(f"{name}{corner}_deg" for corner in (1, 2, 3, 4) for name in ("ra", "dec"))
"""Columns of the index with the corners."""

_TEXTS = ("file", "mask", "weight", "hdu", "plane", "band", "compressed")
_NUMBERS = (*CORNERS, "ra_deg", "dec_deg", "radius_deg", "pixel_arcsec")
_LOOSE = 1.05
"""Factor by which a field is widened in the search for its images, because edges are curved."""
_BENT = 0.01
"""Deviation of an image's edges from great circles, in radii of the image."""


@dataclass(frozen=True, slots=True)
class TileImage:
    """An image that may show a galaxy.

    Attributes
    ----------
    file : str
    mask, weight : str or None
        Files of the mask and the weights; None without one.
    hdu, plane : int
    band : str
        Band of the picture for which it is used.
    compressed : bool
        Whether the image is tile-compressed.
    pixel_arcsec : float
        Side of a pixel.
    depth_deg : float
        Distance of the galaxy from the nearest edge of the image; negative outside.
    """

    file: str
    mask: str | None
    weight: str | None
    hdu: int
    plane: int
    band: str
    compressed: bool
    pixel_arcsec: float
    depth_deg: float


@dataclass(frozen=True, slots=True)
class SkyPlace:
    """A position on the sky, and the radius around it in which images are searched, degrees."""

    ra_deg: float
    dec_deg: float
    reach_deg: float


def vectors(ra_deg: NDArray[np.float64], dec_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return directions as unit vectors, float ``[..., 3]``."""
    ra, dec = np.radians(ra_deg), np.radians(dec_deg)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def match(index: str, bands: Mapping[str, str], places: Sequence[SkyPlace]) -> list[list[TileImage]]:
    """Return the images that show sky around each position, those with the position deepest inside first.

    The index is read in parts, and parts elsewhere on the sky are skipped, so that memory does not grow with the
    number of images.

    Parameters
    ----------
    index : str
        URL of an index (:mod:`batch.imaging.footprints`).
    bands : mapping
        Band of a picture by band of an image; images of other bands are skipped.
    places : sequence of SkyPlace
        Positions of the galaxies.

    Raises
    ------
    OSError
        The index can't be read.
    """
    found: list[list[TileImage]] = [[] for _ in places]
    if not places:
        return found
    order = sorted(range(len(places)), key=lambda number: places[number].dec_deg)
    sought = _Sought([places[number] for number in order], [found[number] for number in order])
    with storage.open_for_reading(index) as opened, parquet.ParquetFile(opened) as file:
        for group in range(file.num_row_groups):
            if sought.may_be_in(file.metadata.row_group(group)):
                images = file.read_row_group(group, columns=[*_TEXTS, *_NUMBERS])
                sought.match(
                    images.filter(compute.is_in(images["band"], value_set=pa.array(bands, pa.string()))), bands
                )
    for several in found:
        several.sort(key=lambda one: (-one.depth_deg, one.file, one.hdu, one.plane))
    return found


def showing(tiles: Sequence[TileImage], reach_deg: float) -> list[TileImage]:
    """Return the images for a field: for each band one that shows all of it, or else all images.

    Parameters
    ----------
    tiles : sequence of TileImage
        Result of :func:`match` for a position.
    reach_deg : float
        Distance from the field's centre to its corners.
    """
    found: list[TileImage] = []
    for band in dict.fromkeys(one.band for one in tiles):
        its = [one for one in tiles if one.band == band and one.depth_deg > -reach_deg * _LOOSE]
        found += its[:1] if its and its[0].depth_deg > reach_deg * _LOOSE else its
    return found


class _Sought:
    """Positions in order of declination, and the lists of the images for each."""

    def __init__(self, places: Sequence[SkyPlace], found: Sequence[list[TileImage]]) -> None:
        self._found = found
        self._decs = np.array([place.dec_deg for place in places])
        self._points = vectors(np.array([place.ra_deg for place in places]), self._decs)
        self._reach = np.array([place.reach_deg for place in places])

    def may_be_in(self, group: Any) -> bool:
        """Return whether a part of the index may have images near any of the positions."""
        columns = {group.column(at).path_in_schema: group.column(at).statistics for at in range(group.num_columns)}
        dec, radius = columns["dec_deg"], columns["radius_deg"]
        if dec is None or not dec.has_min_max:
            return False  # only unusable files
        around = radius.max + self._reach.max()
        return bool(dec.max + around >= self._decs[0] and dec.min - around <= self._decs[-1])

    def match(self, images: Any, bands: Mapping[str, str]) -> None:
        """Find the images of a part of the index."""
        texts = [images[name].to_pylist() for name in _TEXTS]
        of = {name: images[name].to_numpy() for name in _NUMBERS}
        centres = vectors(of["ra_deg"], of["dec_deg"])
        corners = np.stack([vectors(of[CORNERS[at]], of[CORNERS[at + 1]]) for at in range(0, len(CORNERS), 2)], axis=1)
        poles = _inward(centres, corners)
        around = of["radius_deg"] + self._reach.max()
        first, last = (np.searchsorted(self._decs, of["dec_deg"] + side * around) for side in (-1, 1))
        for image in np.flatnonzero(last > first):
            some = slice(first[image], last[image])
            near = self._points[some] @ centres[image] > np.cos(np.radians(around[image]))
            depths = np.degrees(np.arcsin(np.clip(self._points[some] @ poles[image].T, -1, 1)).min(axis=1))
            near &= depths > -self._reach[some] - _BENT * of["radius_deg"][image]
            file, mask, weight, hdu, plane, band, tiled = (column[image] for column in texts)
            for at in np.flatnonzero(near):
                scale = float(of["pixel_arcsec"][image])
                tile = TileImage(file, mask, weight, hdu, plane, bands[band], tiled, scale, float(depths[at]))
                self._found[some.start + at].append(tile)


def _inward(centres: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the poles of the great circles along the edges of images, on the side of their centres, ``[N, 4, 3]``."""
    poles = np.cross(corners, np.roll(corners, -1, axis=1))
    poles /= np.linalg.norm(poles, axis=-1, keepdims=True)
    poles *= np.sign(np.einsum("nki,ni->nk", poles, centres))[..., None]
    return np.asarray(poles, np.float64)
