"""The input: a table, images, or model inputs, recognised by their content, with a fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from batch import storage
from batch.errors import BatchError
from batch.hats.catalogue import is_catalogue, library
from batch.inputs.images import NUMPY_MAGIC
from batch.outputs import partitions
from gateway.core import errors
from gateway.tables.files import formats
from gateway.tables.folders import FITS_SUFFIXES, NO_IMAGE, Listing, is_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from batch.hats.catalogue import HatsCatalogue

_PARQUET = ".parquet"
_WHOLE_BYTES = 1 << 28
_SAMPLES, _SAMPLE_BYTES = 256, 1 << 16
_CHUNK_BYTES = 1 << 23


class Form(StrEnum):
    """Form of the input."""

    PARQUET = "parquet"
    """One Parquet file, or a folder of them; workers read their own rows."""
    TABLE = "table"
    """CSV, ECSV, VOTable or FITS; rewritten as Parquet before the run."""
    IMAGES = "images"
    """Image files; their names are written to Parquet before the run."""
    PIXELS = "pixels"
    """Model inputs in a NumPy file."""


@dataclass(frozen=True, slots=True)
class Source:
    """The input of a batch, after it was recognised.

    Attributes
    ----------
    location : str
        Path or URL as it was given; a local path is made absolute.
    form : Form
        Form of the input.
    files : tuple of str
        URLs of the files, in order.
    base : str
        Folder of relative names of images.
    fingerprint : str
        Changes when the content does. For a file it is made of its bytes: all of them up to 256 MiB, beyond that its
        size, its first and last 64 KiB and 254 blocks of 64 KiB spread evenly between. For a folder it is made of the
        files' names and sizes and the store's checksums, or the times of their last change where it has none.
    notes : tuple of str
        Sentences about the files of a folder: which were found, and which were skipped and why.
    fetched : bool
        Whether the source is the folder of a fetch (:mod:`batch.fetching`).
    hats : HatsCatalogue, optional
        Description of a catalogue in HATS; its files are in the order of its pixels.
    """

    location: str
    form: Form
    files: tuple[str, ...]
    base: str
    fingerprint: str
    notes: tuple[str, ...] = ()
    fetched: bool = False
    hats: HatsCatalogue | None = None


def find(what: Sequence[str], images: str | None = None) -> Source:
    """Recognise the input and take its fingerprint.

    Parameters
    ----------
    what : sequence of str
        One path or URL of a table, a folder, a pattern or an image, or several images.
    images : str, optional
        Folder of the images that a table names; the table's folder unless given.

    Raises
    ------
    BatchError
        There is nothing at the location, or nothing that can be measured.
    """
    if len(what) > 1:
        for one in what:
            if not is_image(one):
                raise BatchError(f"Of several files each has to be an image, and {one} is none by its name.")
        return _images([storage.absolute(one) for one in what])
    location = storage.absolute(what[0])
    fs, path = storage.locate(location)
    try:
        if fs.isdir(path) and is_catalogue(location):
            return _hats(location, images)
        if fs.isdir(path) or storage.is_pattern(location):
            return _folder(location)
        if is_image(location) and not location.lower().endswith(FITS_SUFFIXES):
            return _images([location])
        form, fingerprint = _form(location), fingerprint_of(location)
    except FileNotFoundError:
        raise BatchError(f"There is nothing at {location}.") from None
    except OSError as error:
        raise BatchError(f"{location} can't be read: {error}.") from error
    base = storage.absolute(images) if images is not None else location.rpartition("/")[0]
    return Source(location, form, (location,), base, fingerprint)


def _form(location: str) -> Form:
    with storage.open_for_reading(location) as file:
        head = file.read(formats.HEAD_BYTES)
    if not head.strip():
        raise BatchError(f"{location} is empty.")
    if head.startswith(NUMPY_MAGIC):
        return Form.PIXELS
    try:
        return Form.PARQUET if formats.format_of(head) == formats.PARQUET else Form.TABLE
    except errors.BadTable as error:
        raise BatchError(f"{location}: {error.detail}") from None


def _images(urls: list[str]) -> Source:
    """Return images that are given one by one as a source."""
    found = []
    for url in urls:
        fs, path = storage.locate(url)
        try:
            info = fs.info(path)
        except FileNotFoundError:
            raise BatchError(f"There is nothing at {url}.") from None
        found.append((url, info["size"], storage.stamp(info)))
    name = urls[0] if len(urls) == 1 else f"{len(urls)} images"
    return Source(name, Form.IMAGES, tuple(urls), storage.absolute("."), _digest(found))


def _digest(files: Iterable[tuple[str, int, str]]) -> str:
    """Return the fingerprint of files from their names, sizes and stamps."""
    digest = hashlib.blake2b(digest_size=16)
    for name, size, stamp in files:
        digest.update(f"{name}\0{size}\0{stamp}\n".encode())
    return digest.hexdigest()


def of_batch(folder: str) -> Source:
    """Return the partitions of another batch or of a fetch as a source.

    Partitions of a fetch may have rows without an image.

    Raises
    ------
    BatchError
        Some partitions are missing.
    """
    known = partitions.recorded(folder)
    fetched = known is not None and "fetch" in known["identity"]["settings"]
    files = {name: storage.join(folder, name) for name in storage.names(folder) if name.startswith("part-")}
    if fetched:
        below = storage.join(folder, partitions.UNFINISHED)
        files = {name: storage.join(below, name) for name in storage.names(below)} | files
    if known is None or len(files) != known["partitions"]:
        raise BatchError(f"{folder} is not complete: run the command again that wrote it.")
    fingerprint = partitions.digest_of(known["identity"])
    return Source(
        folder, Form.PARQUET, tuple(files[name] for name in sorted(files)), folder, fingerprint, fetched=fetched
    )


def _folder(location: str) -> Source:
    if storage.exists(storage.join(location, partitions.NAME)):
        return of_batch(location)
    base = location.rstrip("/")
    while storage.is_pattern(base):
        base = base.rpartition("/")[0]
    listed = Listing()
    found: dict[Form, dict[str, tuple[str, int, str]]] = {Form.PARQUET: {}, Form.IMAGES: {}}
    for url, size, stamp in storage.listing(location, listed):
        below = _below(url, base)
        if any(part.startswith((".", "_")) for part in below.split("/")):
            listed.skip(below, "hidden by its name")
        elif below.lower().endswith(_PARQUET):
            found[Form.PARQUET][url] = below, size, stamp
        elif is_image(below):
            found[Form.IMAGES][url] = below, size, stamp
        else:
            listed.skip(below, NO_IMAGE)
    form = Form.PARQUET if found[Form.PARQUET] else Form.IMAGES
    if form is Form.PARQUET:
        for below, *_ in found[Form.IMAGES].values():
            listed.skip(below, "an image beside Parquet files, which are asked")
    listed.found = list(found[form])
    notes = listed.sentences(location, "images" if form is Form.IMAGES else "Parquet files")
    if not listed.found:
        raise BatchError(" ".join([f"There are neither Parquet files nor images at {location}.", *notes[1:]]))
    return Source(location, form, tuple(listed.found), base, _digest(found[form].values()), tuple(notes))


def _hats(location: str, images: str | None) -> Source:
    with library():
        from batch.hats import reading  # takes two seconds and 100 MB, for HATS only
    catalogue, files = reading.read(location)
    digest = _digest((_below(url, location), size, stamp) for url, (size, stamp) in files.items())
    base = storage.absolute(images) if images is not None else location
    notes = (f"{catalogue.name} is a HATS catalogue; its {len(files):,} files are asked in the order of its pixels.",)
    return Source(location, Form.PARQUET, tuple(files), base, digest, notes, hats=catalogue)


def _below(url: str, base: str) -> str:
    """Return the part of a URL that stays when the folder is renamed."""
    path, folder = storage.locate(url)[1], storage.locate(base)[1]
    return path.removeprefix(f"{folder.rstrip('/')}/")


def keys(source: Source) -> Iterator[tuple[str, str]]:
    """Yield the key and the URL of each image of a folder; the key is its path in the folder."""
    for url in source.files:
        yield _below(url, source.base), url


def fingerprint_of(url: str) -> str:
    """Return the fingerprint of a file, which changes when its content does; see :class:`Source`."""
    fs, path = storage.locate(url)
    size = int(fs.size(path))
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    with fs.open(path, "rb") as file:
        if size <= _WHOLE_BYTES:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        else:
            for sample in range(_SAMPLES):
                file.seek((size - _SAMPLE_BYTES) * sample // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()
