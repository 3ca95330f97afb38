"""What is asked: the rows of a table, or image files."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gateway.client.tablefile import open_table
from gateway.core import errors
from gateway.tables import folders, reader, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gateway.core.models import Target
    from gateway.tables.results import Column


@dataclass(frozen=True, slots=True)
class Terms:
    """How everything is asked; what is None is left to the gateway.

    Attributes
    ----------
    survey : str, optional
    r : float, optional
        Axis ratio of an edge-on disc.
    frame : str, optional
        Which part of images is measured: ``auto`` or ``whole``.
    """

    survey: str | None = None
    r: float | None = None
    frame: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One row.

    Attributes
    ----------
    number : int
        Position in the table, from 0.
    key : str
        The row's own.
    asked : str
        What is asked, in one line; with the key it says whether two rows are the same. Empty if nothing can be.
    target : Target, optional
    image : Path, optional
        Instead of a target.
    problem : errors.InclinetError, optional
        Why nothing can be asked.
    warnings : tuple of str
        What of the row was passed over.
    """

    number: int
    key: str
    asked: str
    target: Target | None = None
    image: Path | None = None
    problem: errors.InclinetError | None = None
    warnings: tuple[str, ...] = ()


class Source(Protocol):
    """Questions that can be gone through as often as needed, always in the same order."""

    name: str
    """As the user wrote it."""
    told: Sequence[str]
    """What a person should know of how it is read, in sentences: columns, or files found and passed over."""

    def questions(self) -> Iterator[Question]:
        """Go through the questions; raises :class:`~gateway.core.errors.BadTable` where the table is damaged."""

    def stamp(self) -> object:
        """Return a value that changes when the questions may have."""

    def columns(self) -> Sequence[Column]:
        """Return the columns that can be carried along."""

    def cells(self) -> Iterator[Mapping[str, Any]]:
        """Go through what those columns hold, a mapping a question."""


def open_source(
    paths: Sequence[Path], images: Path | None, terms: Terms, choice: Mapping[str, str] | None = None
) -> Source:
    """Open what is to be asked.

    Parameters
    ----------
    paths : sequence of Path
        One table, one folder of images, one pattern such as ``images/*.jpg``, or several images.
    images : Path, optional
        Where the images lie that a table names; its own folder unless given.
    terms : Terms
    choice : mapping, optional
        Which column of a table is which, as :func:`gateway.tables.columns.recognise` takes it.

    Raises
    ------
    errors.BadTable
        There is nothing to ask, or the table can't be read.
    """
    first = paths[0]
    if len(paths) > 1:
        for path in paths:
            if not folders.is_image(path.name):
                raise errors.BadTable(f"Of several files each has to be an image, and {path} is none by its name.")
        return _Images(f"{len(paths)} images", Path(), [str(path) for path in paths], terms)
    if first.is_dir():
        try:
            listed = folders.listing(first, deep=False)
        except OSError as error:
            raise errors.BadTable(f"The folder {first} can't be read: {error.strerror or error}.") from None
        told = listed.sentences(str(first))
        if not listed.found:
            suffixes = " ".join(folders.IMAGE_SUFFIXES)
            raise errors.BadTable(" ".join([f"The folder {first} holds no images ({suffixes}).", *told[1:]]))
        return _Images(str(first), first, listed.found, terms, told)
    if not first.exists() and glob.has_magic(str(first)):
        listed = folders.matching(str(first))
        if not listed.found:
            raise errors.BadTable(" ".join([f"Nothing matches {first}.", *listed.sentences(str(first))[1:]]))
        return _Images(str(first), Path(), listed.found, terms, listed.sentences(str(first), "files"))
    if first.exists() and folders.is_image(first.name) and not first.name.lower().endswith(folders.FITS_SUFFIXES):
        return _Images(str(first), Path(), [str(first)], terms)
    return _Table(first, images if images is not None else first.parent, terms, choice)


def clean(text: str) -> str:
    """Return text that every format of a table can hold and give back: printable, without space around it."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text.strip()


class _Images:
    def __init__(self, name: str, folder: Path, files: Sequence[str], terms: Terms, told: Sequence[str] = ()) -> None:
        self.name, self._folder, self._files, self._terms, self.told = name, folder, files, terms, told

    def questions(self) -> Iterator[Question]:
        for number, name in enumerate(self._files):
            key = clean(name)
            yield Question(number, key, key + _image_terms(self._terms), image=self._folder / name)

    def stamp(self) -> object:
        return len(self._files)

    def columns(self) -> Sequence[Column]:
        return ()

    def cells(self) -> Iterator[Mapping[str, Any]]:
        return ({} for _ in self._files)


class _Table:
    def __init__(self, path: Path, images: Path, terms: Terms, choice: Mapping[str, str] | None) -> None:
        self.name, self._path, self._images, self._terms = str(path), path, images, terms
        self._file = open_table(path)
        self._reading = reader.columns_of(self._file.table, choice)
        self.told: Sequence[str] = self._reading.sentences()

    def questions(self) -> Iterator[Question]:
        there = folders.FilesIn(self._images)
        for number, record in enumerate(_undamaged(self._file.records(self._reading.columns), self._path)):
            yield self._question(rows.question(number, record, self._reading, there, lasting=True))

    def _question(self, row: rows.Row) -> Question:
        key = clean(row.key) or f"row {row.number + 1}"
        if row.file is not None:
            asked = clean(row.file) + _image_terms(self._terms)
            return Question(row.number, key, asked, image=self._images / row.file, warnings=row.warnings)
        if row.target is not None:
            asked = _asked(row.target, self._terms)
            return Question(row.number, key, asked, target=row.target, warnings=row.warnings)
        return Question(row.number, key, "", problem=row.problem)

    def stamp(self) -> object:
        at = self._path.stat()
        return at.st_size, at.st_mtime_ns, at.st_ino

    def columns(self) -> Sequence[Column]:
        return self._file.columns()

    def cells(self) -> Iterator[Mapping[str, Any]]:
        return _undamaged(self._file.cells(), self._path)


def _undamaged(records: Iterator[Mapping[str, Any]], path: Path) -> Iterator[Mapping[str, Any]]:
    while True:
        try:
            record = next(records, None)
        except errors.InclinetError:
            raise
        # the readers meet damage with errors of a dozen kinds
        except Exception as error:
            raise reader.damaged(str(path)) from error
        if record is None:
            return
        yield record


def _with_r(terms: Terms) -> str:
    return f" r={terms.r:g}" if terms.r is not None else ""


def _image_terms(terms: Terms) -> str:
    # what the gateway does by itself goes unsaid, as in runs from before there was a choice
    return (" frame=whole" if terms.frame == "whole" else "") + _with_r(terms)


def _asked(target: Target, terms: Terms) -> str:
    how = {"fov": target.fov_arcmin, "pa": target.position_angle_deg}
    said = "".join(f" {name}={value:.10g}" for name, value in how.items() if value is not None)
    survey = f" survey={terms.survey}" if terms.survey is not None else ""
    return clean(target.asked + said + survey + _with_r(terms))
