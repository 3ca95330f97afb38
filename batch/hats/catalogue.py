"""The description of a HATS catalogue. The library is imported only when there is such a catalogue."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch import storage
from batch.errors import BatchError
from gateway.tables.header.words import DEC, RA

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROPERTIES, _COLLECTION = "hats.properties", "collection.properties"
_OLD_PROPERTIES, _PARTITIONS = "properties", "partition_info.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class HatsCatalogue:
    """The description of a HATS catalogue, as plain values that are sent to workers.

    Attributes
    ----------
    name : str
        Name of the catalogue.
    kind : str
        Kind of catalogue, ``object`` or ``source``.
    ra, dec : str
        Names of the columns of the position, degrees.
    index : str, optional
        Name of the column of the HEALPix index, usually ``_healpix_29``.
    index_order : int
        Order of that index.
    ids : tuple of str
        Names of the columns for which a collection has an index.
    """

    name: str
    kind: str
    ra: str
    dec: str
    index: str | None = None
    index_order: int = 29
    ids: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """Column by role, in the form of a person's choice."""
        return {RA: self.ra, DEC: self.dec}


def is_catalogue(folder: str) -> bool:
    """Return whether a folder is a HATS catalogue or a collection of them."""

    def there(name: str) -> bool:
        return storage.exists(storage.join(folder, name))

    return there(_PROPERTIES) or there(_COLLECTION) or (there(_OLD_PROPERTIES) and there(_PARTITIONS))


@contextmanager
def library() -> Iterator[None]:
    """Import the library within a ``with`` block; raises BatchError where it is not installed."""
    try:
        yield
    except ImportError as error:
        name = (error.name or "hats").partition(".")[0]
        raise BatchError(
            f"HATS catalogues need {name}, which is not installed here: pip install 'inclinet-service[hats]'."
        ) from error
