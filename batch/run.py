"""From what a person asks for to the result: what ``inclinet batch`` and ``inclinet fetch`` do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch import storage
from batch.conversion import convert
from batch.conversion.own_columns import OwnColumns
from batch.errors import BatchError
from batch.inputs import catalogue, source
from batch.inputs.source import Form
from batch.outputs import partitions, results
from batch.outputs.partitions import Folder, Identity
from batch.outputs.results import COLUMNS, Tally
from batch.progress import Progress
from batch.summary import Summary
from gateway.images.ellipse import INTRINSIC_AXIS_RATIO
from gateway.tables.header.words import FILE, RA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import Console

    from batch.imaging.imaging import Imaging
    from batch.inputs.source import Source
    from batch.outputs.partitions import Partition
    from gateway.core.models import FrameChoice
    from gateway.tables.cells.rows import Row
    from gateway.tables.results import Column
    from gateway.tables.results import Row as Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asks for, whichever engine answers.

    Attributes
    ----------
    what : tuple of str
        A path or URL of a table, a folder, a pattern, an image or model inputs; or several images.
    out : str
        Path or URL of the result: a table, or a folder of Parquet files.
    images : str, optional
        Folder of the images that the table names.
    choice : mapping
        Which column is which, where a person says it.
    partition_rows : int, optional
        As an earlier run had it, or as the engine has it, unless given.
    survey : str, optional
        Whose images are measured.
    r : float, optional
        Axis ratio of an edge-on disc, for the comparison.
    frame : FrameChoice, optional
        What of images is measured.
    keep_columns : bool
        Carry the table's own columns along.
    retry_failed : bool
        Ask again what failed in an earlier run.
    quiet : bool
        Show no progress.
    imaging : str, optional
        Path or URL of images of the sky, from which the table's galaxies are cut (:mod:`batch.imaging`).
    bands : tuple of str
        Of these images, that a picture is made of; the service chooses unless given.
    """

    what: tuple[str, ...]
    out: str
    images: str | None = None
    choice: Mapping[str, str] = field(default_factory=dict)
    partition_rows: int | None = None
    survey: str | None = None
    r: float | None = None
    frame: FrameChoice | None = None
    keep_columns: bool = False
    retry_failed: bool = False
    quiet: bool = False
    imaging: str | None = None
    bands: tuple[str, ...] = ()

    @property
    def columns_said(self) -> dict[str, str]:
        """What a person said of the columns, in words."""
        said = " ".join(f"{role}={name}" for role, name in sorted(self.choice.items()))
        return {"columns": said} if said else {}

    @property
    def edge_on_r(self) -> float:
        """The axis ratio that is used."""
        return INTRINSIC_AXIS_RATIO if self.r is None else self.r

    @property
    def settings(self) -> dict[str, Any]:
        """How everything is asked, by the words that a refusal uses."""
        images = storage.full(self.images) if self.images is not None else None
        return {"survey": self.survey, "r": self.r, "frame": self.frame, "images": images, **self.columns_said}

    @property
    def is_table(self) -> bool:
        """Whether the result is one table."""
        return convert.format_of(Path(self.out).suffix) is not None

    @property
    def folder(self) -> str:
        """The folder of the partitions: the result itself, or one beside it with its name."""
        out = storage.full(self.out)
        return f"{out.removesuffix(Path(out).suffix)}.parts" if self.is_table else out.rstrip("/")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is to be done.

    Attributes
    ----------
    source : Source
    partitions : list of Partition
    folder : Folder
    done : dict
        Number of each partition that an earlier run has written, and its tally.
    release : str
        Of the models.
    """

    source: Source
    partitions: list[Partition]
    folder: Folder
    done: dict[int, Tally]
    release: str

    @property
    def rows(self) -> int:
        """Of all partitions."""
        return sum(partition.rows for partition in self.partitions)

    @property
    def rows_done(self) -> int:
        """By earlier runs."""
        return sum(tally.rows for tally in self.done.values())

    @property
    def missing(self) -> list[Partition]:
        """Partitions that are to be done."""
        return [partition for partition in self.partitions if partition.number not in self.done]

    def progress(self, console: Console, what: str, *, quiet: bool) -> Progress:
        """Return what shows how far it is."""
        return Progress(console, what, total=self.rows, before=self.rows_done, quiet=quiet)

    def read(self, choice: Mapping[str, str]) -> Callable[[Partition], list[Row]]:
        """Return what reads the rows of a partition."""
        return lambda partition: catalogue.rows_of(partition, self.source, choice)


def check(asked: Asked) -> None:
    """Refuse an output that can't be.

    Raises
    ------
    BatchError
    """
    out, suffix = asked.out, Path(asked.out).suffix
    fs, path = storage.locate(out)
    if storage.is_local(fs):
        is_folder = fs.isdir(path)
        if not Path(path).parent.is_dir():
            raise BatchError(f"There is no folder {Path(out).parent}.")
        if asked.is_table and is_folder:
            raise BatchError(f"{out} is a folder.")
        if not asked.is_table and not is_folder and (suffix or Path(path).exists()):
            raise BatchError(f"The name of {out} has to end in one of {convert.suffixes()}, or be that of a folder.")
        if any(storage.full(one) == storage.full(out) for one in asked.what):
            raise BatchError(f"{out} is what is asked; the results need a name of their own.")


def imaged(asked: Asked, found: Source, say: Callable[[str], None]) -> tuple[Asked, Imaging | None]:
    """Find the images of the sky that galaxies are to be cut from, if there are any.

    Returns
    -------
    asked : Asked
        With the columns that say how large galaxies are.
    imaging : Imaging or None

    Raises
    ------
    BatchError
        They can't be used, or something else is asked that does not go with them.
    """
    if asked.imaging is None:
        if asked.bands:
            raise BatchError("--bands names those of --imaging, which is not given.")
        return asked, None
    for option, value in (("--images", asked.images), ("--survey", asked.survey), ("--frame", asked.frame)):
        if value is not None:
            raise BatchError(f"{option} does not go with --imaging, which cuts galaxies by their place on the sky.")
    if found.form not in {Form.PARQUET, Form.TABLE} or found.fetched:
        raise BatchError(f"With --imaging a table of positions is asked, and {found.location} is none.")
    choice = {FILE: "", **catalogue.sizes(found), **asked.choice}
    if RA not in catalogue.roles(found, choice):
        raise BatchError(f"{found.location} has no position: with --imaging galaxies are found by ra and dec.")
    partitions.refuse_strangers(asked.folder)
    from batch.imaging import imaging  # noqa: PLC0415 - astropy's WCS, which other batches do without

    return replace(asked, choice=choice), imaging.find(asked.imaging, asked.folder, asked.bands, say)


def own_columns(asked: Asked, found: Source) -> OwnColumns | None:
    """Return the columns that are carried along, and see that the result can hold them.

    Raises
    ------
    BatchError
    """
    own = OwnColumns(found) if asked.keep_columns and asked.is_table else None
    if asked.is_table:
        convert.rehearse(asked.out, own)
    return own


def prepare(
    asked: Asked,
    found: Source,
    folder: str,
    *,
    rows: int,
    settings: Mapping[str, Any],
    release: Callable[[str | None], str],
    say: Callable[[str], None],
    columns: Sequence[Column] = COLUMNS,
    location: str | None = None,
) -> Prepared:
    """Make a folder that of a batch, and see what of it is missing.

    Parameters
    ----------
    asked : Asked
    found : Source
        What is to be asked.
    folder : str
        Of the partitions.
    rows : int
        Of a partition, unless said otherwise.
    settings : mapping
        What else the answers depend on, by the words that a refusal uses.
    release : callable
        Is given the release of an earlier run, if there was one, and returns that of this one.
    say : callable
        Told how the source is read, in sentences.
    columns : sequence of Column
        Of the partitions' files.
    location : str, optional
        Where what is asked is; that of ``found`` unless given.

    Raises
    ------
    BatchError
    """
    known = partitions.recorded(folder)
    before = known["identity"] if known is not None else None
    size = asked.partition_rows or (before["partition_rows"] if before is not None else rows)
    location = location or found.location
    partitions.refuse_strangers(folder)
    catalogue.roles(found, asked.choice)  # a table that can't be asked is refused before anything else
    identity = Identity(found.fingerprint, size, release(before["release"] if before is not None else None), settings)
    partitions.refuse_another(folder, identity, location=location)
    pieces = catalogue.pieces(found, folder, size=size, choice=asked.choice)
    cut = catalogue.partitions(pieces, size)
    for sentence in _told(asked, found, pieces):
        say(sentence)
    partitions.claim(folder, identity, location=location, partitions=len(cut))
    about = {
        "batch": identity.digest,
        "release": identity.release,
        "creator": f"inclinet {version('inclinet-service')}",
    }
    header = "" if asked.is_table else results.votable_header(columns)
    into = Folder(folder, about, columns, header, asked.retry_failed)
    prepared = Prepared(found, cut, into, into.done(cut), identity.release)
    if prepared.done:
        say(f"{prepared.rows_done:,} of {prepared.rows:,} rows have their result from an earlier run.")
    return prepared


def _told(asked: Asked, found: Source, pieces: Sequence[catalogue.Piece]) -> Sequence[str]:
    if found.form is Form.IMAGES or found.fetched:
        return found.told
    return found.told if found.form is Form.PIXELS else (*found.told, *catalogue.told(pieces, asked.choice))


def finish(asked: Asked, prepared: Prepared, progress: Progress, own: OwnColumns | None) -> Summary:
    """Make the result of partitions that are all known, and say what became of them.

    Raises
    ------
    BatchError
        What was asked has changed since the run began.
    OSError
        The result can't be written.
    """
    if source.find(asked.what, asked.images).fingerprint != prepared.source.fingerprint:
        raise BatchError(
            f"{prepared.source.location} was changed while it was asked. Run it again into another output."
        )
    summary = _summed_up(prepared, progress)
    if summary.failed_partitions == 0:
        storage.sweep(prepared.folder.url)
        if asked.is_table:
            about = {name: prepared.folder.about[name] for name in ("release", "creator")}
            convert.convert(asked.out, lambda: _records(prepared), own, about)
    return summary


def _summed_up(prepared: Prepared, progress: Progress) -> Summary:
    """Sum up earlier runs and this one."""
    measured = sum((report.tally for report in progress.reports), Tally())
    return Summary(
        tally=sum(prepared.done.values(), Tally()) + measured,
        rows=prepared.rows,
        unanswered=sum(report.unanswered for report in progress.reports),
        failed_partitions=len(prepared.missing) - len(progress.reports),
        measured=measured.rows,
        seconds=progress.seconds if progress.reports else 0.0,
    )


def _records(prepared: Prepared) -> Iterator[Record]:
    for partition in prepared.partitions:
        yield from prepared.folder.rows(partition)
