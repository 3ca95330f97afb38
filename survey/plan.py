"""From what a person asks for to what is to be done: the source, the job, the partitions that are missing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from gateway.core.manifest import Manifest, read_manifest
from gateway.core.models import FrameChoice
from survey import catalogue, ledger, source, storage, table
from survey.errors import SurveyError
from survey.job import Job, Patience
from survey.turns import RATES_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.settings import Settings
    from gateway.sky import SkySettings
    from survey.catalogue import Partition
    from survey.table import Tally

PARTITION_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks for.

    Attributes
    ----------
    what : str
        Path or URL of a catalogue, a folder of images or model inputs.
    out : str
        Path or URL of the folder of the result.
    settings : Settings
        Of the gateway; ``INCLINET_*`` where the run was started.
    partition_rows : int, optional
        As an earlier run had it, or 2000, unless given.
    survey : str, optional
        Whose images are measured.
    r : float
    frame : FrameChoice
        What of images is measured.
    rates_per_s : mapping
        What differs from :data:`survey.turns.RATES_PER_S`.
    concurrency : int
    accept_unanswered : bool
    patience : Patience
    choice : mapping
        Which column is which, where a person says it.
    """

    what: str
    out: str
    settings: Settings
    partition_rows: int | None
    survey: str | None
    r: float
    rates_per_s: Mapping[str, float]
    concurrency: int
    accept_unanswered: bool
    patience: Patience = field(default_factory=Patience)
    choice: Mapping[str, str] = field(default_factory=dict)
    frame: FrameChoice = FrameChoice.AUTO


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    job : Job
    partitions : list of Partition
        All of them.
    done : dict
        Number of each partition that an earlier run has written, and its tally.
    told : tuple of str
        What a person should know of how the catalogue is read, in sentences.
    """

    job: Job
    partitions: list[Partition]
    done: dict[int, Tally]
    told: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Of the catalogue."""
        return sum(partition.rows for partition in self.partitions)

    @property
    def rows_done(self) -> int:
        """Of the catalogue, by earlier runs."""
        return sum(tally.rows for tally in self.done.values())

    @property
    def missing(self) -> list[Partition]:
        """Partitions that are to be done."""
        return [partition for partition in self.partitions if partition.number not in self.done]


def make(asked: Asked, *, serving: tuple[str, ...]) -> Plan:
    """Read what is asked, make sure that the output folder is this survey's, and see what is missing.

    Parameters
    ----------
    asked : Asked
    serving : tuple of str
        Addresses of the networks.

    Raises
    ------
    SurveyError
    """
    out = storage.full(asked.out)
    found = source.find(asked.what)
    size = asked.partition_rows or ledger.recorded_partition_rows(out) or PARTITION_ROWS
    manifest = _release(asked.settings.manifest)
    identity = ledger.Identity(
        fingerprint=found.fingerprint,
        partition_rows=size,
        release=manifest.release,
        models={model.name: model.version for model in manifest.models},
        manifest=ledger.digest_of(manifest.model_dump(mode="json", by_alias=True)),
        settings=_settings(asked),
        program=version("inclinet"),
    )
    ledger.check(out, identity, location=found.location)
    pieces = catalogue.pieces(found, out, size=size, choice=asked.choice)
    cut = catalogue.partitions(pieces, size)
    ledger.claim(out, identity, location=found.location)
    settings = asked.settings
    job = Job(
        identity=identity,
        manifest=manifest,
        serving=serving,
        form=found.form,
        base=found.base,
        out=out,
        header=table.header(),
        sky=_sky(settings),
        rates_per_s={**RATES_PER_S, **asked.rates_per_s},
        survey=asked.survey,
        r=asked.r,
        concurrency=asked.concurrency,
        largest_batch=settings.max_batch,
        batches_in_flight=settings.batches_in_flight,
        max_pixels=settings.max_pixels,
        max_bytes=settings.max_upload_bytes,
        accept_unanswered=asked.accept_unanswered,
        patience=asked.patience,
        choice=dict(asked.choice),
        frame=asked.frame,
    )
    by_column = found.form in {source.Form.PARQUET, source.Form.TABLE}
    told = (*found.told, *(catalogue.told(pieces, asked.choice) if by_column else ()))
    return Plan(job, cut, ledger.done(out, identity, cut), told)


def _settings(asked: Asked) -> dict[str, str | float | None]:
    """Return what the answers depend on, by the words that a refusal uses."""
    settings = asked.settings
    return {
        "survey": asked.survey or settings.survey,
        "r": asked.r,
        "frame": asked.frame,
        "SDSS release": settings.sdss_release,
        "own catalogue of galaxies": _digest_of_file(settings.catalog),
        "limit of pixels": settings.max_pixels,
        "limit of bytes": settings.max_upload_bytes,
        # a survey of before columns could be said has no such setting
        **(
            {"columns": " ".join(f"{role}={name}" for role, name in sorted(asked.choice.items()))}
            if asked.choice
            else {}
        ),
    }


def _digest_of_file(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise SurveyError(f"The catalogue of galaxies {path} can't be read: {error.strerror}.") from error


def _sky(settings: Settings) -> SkySettings:
    """Return the settings of the sky as workers in other folders understand them."""
    sky = settings.sky()
    return replace(
        sky,
        catalogue=sky.catalogue.absolute() if sky.catalogue else None,
        cache_dir=sky.cache_dir.absolute() if sky.cache_dir else None,
    )


def _release(path: Path) -> Manifest:
    try:
        return read_manifest(path)
    except (OSError, ValueError) as error:
        raise SurveyError(f"The manifest {path} can't be read: {error}") from error
