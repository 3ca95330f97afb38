"""What a batch has to know of a HATS catalogue. The library is loaded where there is one, and only there."""

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
    """What a HATS catalogue says of itself. Plain values that travel to workers.

    Attributes
    ----------
    name : str
    kind : str
        ``object`` or ``source``.
    ra, dec : str
        Columns of the position, degrees.
    index : str, optional
        Column of the HEALPix index, usually ``_healpix_29``.
    index_order : int
        Of that index.
    ids : tuple of str
        Columns that a collection has an index of.
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
        """Which column is which, as a person would say it."""
        return {RA: self.ra, DEC: self.dec}


def is_catalogue(folder: str) -> bool:
    """Tell whether a folder is a HATS catalogue or a collection of them."""

    def there(name: str) -> bool:
        return storage.exists(storage.join(folder, name))

    return there(_PROPERTIES) or there(_COLLECTION) or (there(_OLD_PROPERTIES) and there(_PARTITIONS))


@contextmanager
def library() -> Iterator[None]:
    """Import what needs the library; raises BatchError where that is not installed."""
    try:
        yield
    except ImportError as error:
        name = (error.name or "hats").partition(".")[0]
        raise BatchError(
            f"HATS catalogues need {name}, which is not installed here: pip install 'inclinet-service[hats]'."
        ) from error
