"""Partitions of a batch and their files: a partition is done when its file exists, whole and of this batch."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from batch import storage
from batch.errors import BatchError
from batch.outputs import results
from batch.outputs.results import COLUMNS, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.tables.results import Column, Row

NAME = "_batch.json"
"""Name of the file that identifies the batch of a folder; readers of folders skip names with ``_``."""

UNFINISHED = "_unfinished"
"""Folder of partitions with rows that got no answer for reasons that may pass."""

_SCHEMA = 3
_READERS = 32


@dataclass(frozen=True, slots=True)
class Partition:
    """Rows ``start`` to ``stop`` of a file; ``first`` is the number of the first one in the whole input."""

    number: int
    url: str
    start: int
    stop: int
    first: int

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.stop - self.start

    @property
    def file_name(self) -> str:
        """Name of the file with its results."""
        return f"part-{self.number:06d}.parquet"


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of a batch: everything that a row's answer depends on, and how rows are split into files.

    Attributes
    ----------
    fingerprint : str
        Fingerprint of the input.
    partition_rows : int
        Rows of a partition.
    release : str
        Release of the models.
    settings : mapping
        Further settings that the answers depend on, by the words that a refusal uses.
    """

    fingerprint: str
    partition_rows: int
    release: str
    settings: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """A short hash of the identity."""
        return digest_of(asdict(self))


def digest_of(value: Any) -> str:
    """Return a fingerprint of a JSON value, independent of the order of its keys."""
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16).hexdigest()


def recorded(folder: str) -> dict[str, Any] | None:
    """Return the content of a folder's ``_batch.json``: location, partitions and identity; None without a folder.

    Raises
    ------
    BatchError
        The file is damaged, or missing although the folder has other files.
    """
    url = storage.join(folder, NAME)
    if not storage.exists(url):
        if strangers := [name for name in storage.names(folder) if not name.startswith(("_", "."))]:
            raise BatchError(f"{folder} holds {strangers[0]} and no batch that it belongs to: give another output.")
        return None
    try:
        known: dict[str, Any] = json.loads(storage.read(url))
        schema = known["schema"]
    except (ValueError, TypeError, KeyError) as error:
        raise BatchError(f"{url} is damaged: give another output, or delete {folder}.") from error
    if schema != _SCHEMA:
        raise BatchError(f"{folder} is of another version of inclinet: give another output, or delete it.")
    return known


def refuse_another(folder: str, identity: Identity, *, location: str) -> None:
    """Raise BatchError where a folder holds another batch.

    Parameters
    ----------
    folder : str
    identity : Identity
    location : str
        Location of the input.
    """
    known = recorded(folder)
    differences = [] if known is None else _differences(known, identity, location)
    if differences:
        raise BatchError(
            f"{folder} holds another batch: {'; '.join(differences)}. Give another output, or what that batch was "
            "given, or delete the folder to start anew."
        )


def claim(folder: str, identity: Identity, *, location: str, partitions: int) -> None:
    """Record the batch of a folder, and its number of partitions; the record stays once it is written."""
    if recorded(folder) is None:
        data = {
            "schema": _SCHEMA,
            "location": location,
            "partitions": partitions,
            "identity": asdict(identity),
        }
        storage.write(storage.join(folder, NAME), json.dumps(data, indent=2).encode())


def _differences(known: Mapping[str, Any], identity: Identity, location: str) -> list[str]:
    old, said = known["identity"], []
    if old["fingerprint"] != identity.fingerprint:
        moved = f"it asks {known['location']}, not {location}"
        said.append(f"{location} has changed since" if known["location"] == location else moved)
    before = {"rows of a partition": old["partition_rows"], "model release": old["release"], **old["settings"]}
    now = {"rows of a partition": identity.partition_rows, "model release": identity.release, **identity.settings}
    names = (name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name))
    said.extend(f"its {name} is {before.get(name)}, not {now.get(name)}" for name in names)
    return said


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of a batch's partitions, as plain values that are sent to workers.

    Attributes
    ----------
    url : str
        URL of the folder.
    about : mapping
        Metadata of every file; ``batch`` is the identity's digest.
    columns : sequence of Column
        Columns of the files.
    header : str
        Parameter of :func:`batch.outputs.results.encoded`.
    retry_failed : bool
        Whether rows with a problem are asked about again.
    """

    url: str
    about: Mapping[str, str]
    columns: Sequence[Column] = COLUMNS
    header: str = ""
    retry_failed: bool = field(default=False)

    def path(self, partition: Partition) -> str:
        """Return the URL of a partition's file."""
        return storage.join(self.url, partition.file_name)

    def unfinished(self, partition: Partition) -> str:
        """Return the URL of the known rows of a partition that is not done."""
        return storage.join(self.url, UNFINISHED, partition.file_name)

    def done(self, partitions: Sequence[Partition]) -> dict[int, Tally]:
        """Return the partitions that are done, with their tallies; a damaged file counts as not done.

        Raises
        ------
        BatchError
            A file belongs to another batch.
        """
        there = set(storage.names(self.url))
        present = [one for one in partitions if one.file_name in there]

        def look(partition: Partition) -> Tally | None:
            url = self.path(partition)
            try:
                tally, about = results.summary(url)
            except (ValueError, OSError, pa.ArrowException):
                return None
            if about.get("batch") != self.about["batch"]:
                raise BatchError(f"{url} belongs to another batch: give another output.")
            whole = tally.rows == partition.rows and about.get("first_row") == str(partition.first)
            return tally if whole and not (self.retry_failed and tally.problems) else None

        with ThreadPoolExecutor(_READERS) as pool:
            tallies = list(pool.map(look, present))
        return {one.number: tally for one, tally in zip(present, tallies, strict=True) if tally is not None}

    def kept(self, partition: Partition) -> dict[int, Row]:
        """Return the rows that earlier runs found for an unfinished partition, by their numbers."""
        for url in (self.unfinished(partition), self.path(partition)):
            try:
                rows, about = results.decoded(url)
            except (FileNotFoundError, pa.ArrowException):
                continue
            if about.get("batch") == self.about["batch"] and about.get("first_row") == str(partition.first):
                again = set(json.loads(about["again"]))
                return {
                    row["row"]: row
                    for row in rows
                    if row["row"] not in again and not (self.retry_failed and row["problem_type"])
                }
        return {}

    def keep(self, partition: Partition, settled: Mapping[int, Row], passing: Mapping[int, Row]) -> Tally:
        """Write a partition: its file where all rows are settled, else the rows known so far.

        Parameters
        ----------
        partition : Partition
        settled : mapping
            Rows of the result by number.
        passing : mapping
            The same for rows that the next run asks about again.

        Raises
        ------
        OSError
            The store raised an error.
        """
        found = {**settled, **passing}
        rows = [found[number] for number in sorted(found)]
        tally = replace(results.tally(rows), unanswered=len(passing))
        about = {
            **self.about,
            "partition": str(partition.number),
            "first_row": str(partition.first),
            "answered": str(tally.answered),
            "problems": json.dumps(tally.problems),
            "again": json.dumps(sorted(passing)),
        }
        written, old = self.path(partition), self.unfinished(partition)
        if passing:
            # a finished partition with rows to be asked again is unfinished
            written, old = old, written
        storage.write(written, results.encoded(rows, about, columns=self.columns, header=self.header))
        storage.remove(old)
        return tally

    def rows(self, partition: Partition) -> list[Row]:
        """Return all known rows of a partition, in order."""
        try:
            return results.decoded(self.path(partition))[0]
        except FileNotFoundError:
            return results.decoded(self.unfinished(partition))[0]
