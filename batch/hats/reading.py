"""Reads the description of a HATS catalogue: its columns, and its files in the order of its pixels."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from hats.catalog.catalog_collection import CatalogCollection
from hats.io.paths import dataset_directory, get_healpix_from_path
from hats.loaders.read_hats import read_hats
from upath import UPath

from batch import storage
from batch.errors import BatchError
from batch.hats.catalogue import HatsCatalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_OBJECTS = {"object", "source"}


def read(folder: str) -> tuple[HatsCatalogue, Mapping[str, tuple[int, str]]]:
    """Read the description of a catalogue, or of the main catalogue of a collection.

    Parameters
    ----------
    folder : str
        Path or URL.

    Returns
    -------
    catalogue : HatsCatalogue
    files : mapping
        Size and stamp (:func:`batch.storage.listing`) of each file by its URL, in the order of the pixels on the sky. A
        pixel has one file, or several in a folder of its own.

    Raises
    ------
    BatchError
        The catalogue is damaged, or not one of objects.
    OSError
        The store raised an error.
    """
    try:
        with warnings.catch_warnings():
            # hats warns of optional files that are not needed here
            warnings.simplefilter("ignore")
            # from a string, hats would treat a bucket as a public one
            found = read_hats(UPath(folder), read_moc=False)
        collection = found.collection_properties if isinstance(found, CatalogCollection) else None
        main: Any = found.main_catalog if isinstance(found, CatalogCollection) else found
        said = main.catalog_info
        pixels = main.get_healpix_pixels() if said.catalog_type in _OF_OBJECTS else []
    except (ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise BatchError(f"The HATS catalogue {folder} can't be read: {str(error).splitlines()[0]}") from error
    if said.catalog_type not in _OF_OBJECTS:
        raise BatchError(
            f"{folder} is a HATS catalogue of type {said.catalog_type}; give the one of the objects that it belongs to."
        )
    by_pixel: dict[object, dict[str, tuple[int, str]]] = {}
    for url, size, stamp in storage.listing(str(dataset_directory(main.catalog_base_dir))):
        by_pixel.setdefault(get_healpix_from_path(url), {})[url] = size, stamp
    files: dict[str, tuple[int, str]] = {}
    for pixel in pixels:
        if pixel not in by_pixel:
            raise BatchError(f"The HATS catalogue {folder} lists {pixel}, of which it has no file.")
        files |= by_pixel[pixel]
    catalogue = HatsCatalogue(
        name=said.catalog_name,
        kind=said.catalog_type,
        ra=said.ra_column,
        dec=said.dec_column,
        index=said.healpix_column,
        index_order=said.healpix_order if said.healpix_column and said.healpix_order is not None else 29,
        ids=tuple((collection.all_indexes if collection is not None else None) or ()),
    )
    return catalogue, files
