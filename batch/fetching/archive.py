"""What images are fetched from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from batch.outputs.partitions import Partition
from gateway.tables.cells.rows import Row

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from batch.fetching.rates import Rates
    from gateway.tables.results import Column

Fetch = Callable[[Row, Partition], Awaitable[dict[str, Any]]]
"""Fetches what a row of a partition names, and returns the row's cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageArchive:
    """What images are fetched from.

    Attributes
    ----------
    opened : callable
        Opens the services, given their rates, the folder that gets the images and the one that a table's relative
        names are below; returns an asynchronous context manager of what fetches a row.
    columns : sequence of Column
        Of the partitions' files.
    identity : mapping
        What an image depends on, by the words that a refusal uses.
    urls : sequence of str
        Of all services that may be asked.
    contact : str
        Whom their operators can write to.
    """

    opened: Callable[[Rates, str, str], AbstractAsyncContextManager[Fetch]]
    columns: Sequence[Column]
    identity: Mapping[str, Any]
    urls: Sequence[str]
    contact: str
