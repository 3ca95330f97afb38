"""What an output folder holds: which survey it is, and which of its partitions are done."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from survey import storage, table
from survey.errors import SurveyError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from survey.catalogue import Partition
    from survey.table import Tally

NAME = "_survey.json"
"""The ledger's file in the output folder; ``_``: no result."""

_SCHEMA = 1
_READERS = 32


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes two runs the same survey: all that a row's answer depends on, and how rows are cut into files.

    Attributes
    ----------
    fingerprint : str
        Of the catalogue.
    partition_rows : int
    release : str
        Of the models.
    models : mapping
        Name to version.
    manifest : str
        Fingerprint of the release's manifest, so that a new calibration is a new survey.
    settings : mapping
        What else the answers depend on, by name.
    program : str
        Version of inclinet.
    """

    fingerprint: str
    partition_rows: int
    release: str
    models: Mapping[str, int]
    manifest: str
    settings: Mapping[str, Any]
    program: str

    @property
    def digest(self) -> str:
        """A short name of the whole."""
        return digest_of(asdict(self))

    def about(self) -> dict[str, str]:
        """Return what every file of the result says of itself."""
        return {
            "survey": self.digest,
            "input": self.fingerprint,
            "release": self.release,
            "models": json.dumps(self.models),
            "settings": json.dumps(self.settings),
            "program": self.program,
        }


def digest_of(value: Any) -> str:
    """Return a fingerprint of what JSON can say, the same whatever the order of its keys."""
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16).hexdigest()


def recorded_partition_rows(out: str) -> int | None:
    """Return how many rows the partitions of the survey in ``out`` have, if there is one."""
    known = _read(out)
    return None if known is None else int(known["identity"]["partition_rows"])


def check(out: str, identity: Identity, *, location: str) -> None:
    """Refuse an output folder that holds something else.

    Parameters
    ----------
    out : str
    identity : Identity
        Of the survey that is to be written there.
    location : str
        Where its catalogue is.

    Raises
    ------
    SurveyError
        It holds another survey, or results that no ledger knows of.
    """
    known = _read(out)
    if known is None:
        strangers = [name for name in storage.names(out) if name.endswith(".parquet") and not name.startswith("_")]
        if strangers:
            raise SurveyError(f"{out} holds {strangers[0]} and no survey that it could belong to: give another --out.")
        return
    differences = _differences(known, identity, location)
    if differences:
        raise SurveyError(
            f"{out} holds another survey: {'; '.join(differences)}. Give another --out, or what that survey was given.",
        )


def claim(out: str, identity: Identity, *, location: str) -> None:
    """Write down which survey an output folder holds from now on; once written it stays."""
    if _read(out) is None:
        data = {"schema": _SCHEMA, "catalogue": location, "identity": asdict(identity)}
        storage.write(storage.join(out, NAME), json.dumps(data, indent=2).encode())


def _differences(known: Mapping[str, Any], identity: Identity, location: str) -> list[str]:
    old, new = known["identity"], asdict(identity)
    said = []
    if old["fingerprint"] != identity.fingerprint:
        same_place = known["catalogue"] == location
        said.append(
            f"the catalogue {location} has changed since"
            if same_place
            else f"its catalogue is {known['catalogue']}, not {location}",
        )
    for key, label in (
        ("partition_rows", "rows of a partition"),
        ("release", "model release"),
        ("program", "inclinet"),
    ):
        if old[key] != new[key]:
            said.append(f"its {label} is {old[key]}, not {new[key]}")
    if old["release"] == new["release"] and (old["manifest"], old["models"]) != (new["manifest"], new["models"]):
        said.append(f"the manifest of release {new['release']} has changed since")
    for name in sorted({*old["settings"], *new["settings"]}):
        was, now = old["settings"].get(name), new["settings"].get(name)
        if was != now:
            said.append(f"its {name} is {was}, not {now}")
    return said


def done(out: str, identity: Identity, partitions: Sequence[Partition]) -> dict[int, Tally]:
    """Return the partitions whose file is there, whole and of this survey, with their tallies.

    A file that is damaged counts as missing, and is written anew.

    Raises
    ------
    SurveyError
        A file belongs to another survey.
    """
    numbers = {number for name in storage.names(out) if (number := table.number_of(name)) is not None}
    present = [partition for partition in partitions if partition.number in numbers]

    def look(partition: Partition) -> Tally | None:
        url = storage.join(out, table.file_name(partition.number))
        try:
            tally, about = table.summary(url)
        except (ValueError, OSError, pa.ArrowException):
            return None
        if about.get("survey") != identity.digest:
            raise SurveyError(f"{url} belongs to another survey: give another --out.")
        return tally if tally.rows == partition.rows and about.get("first_row") == str(partition.first) else None

    with ThreadPoolExecutor(_READERS) as pool:
        tallies = list(pool.map(look, present))
    return {one.number: tally for one, tally in zip(present, tallies, strict=True) if tally is not None}


def _read(out: str) -> dict[str, Any] | None:
    url = storage.join(out, NAME)
    if not storage.exists(url):
        return None
    try:
        known: dict[str, Any] = json.loads(storage.read(url))
        schema = known["schema"]
    except (ValueError, TypeError, KeyError) as error:
        raise SurveyError(f"{url} is damaged: give another --out.") from error
    if schema != _SCHEMA:
        raise SurveyError(f"{out} holds a survey of another version of inclinet: give another --out.")
    return known
