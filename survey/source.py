"""What is asked: a catalogue, a folder of images, or model inputs. Recognised by content, and known again later."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from glob import has_magic
from typing import TYPE_CHECKING

from gateway.tables import reader
from survey import pixels, storage
from survey.errors import SurveyError

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES = (".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".webp", ".fits", ".fit", ".fits.gz")
"""How the names of images end, in a folder."""

_PARQUET = ".parquet"
_HEAD_BYTES = 64
_WHOLE_BYTES = 1 << 28
_SAMPLES, _SAMPLE_BYTES = 256, 1 << 16
_CHUNK_BYTES = 1 << 23


class Form(StrEnum):
    """In which form the question comes."""

    PARQUET = "parquet"
    """One Parquet file, or a folder of them: workers read their own rows."""
    TABLE = "table"
    """CSV, ECSV, VOTable or FITS: rewritten as Parquet before the run."""
    IMAGES = "images"
    """A folder of image files: their names are written to Parquet before the run."""
    PIXELS = "pixels"
    """Model inputs in a NumPy file."""


@dataclass(frozen=True, slots=True)
class Source:
    """A question as it was found.

    Attributes
    ----------
    location : str
        As it was given, a local path made absolute.
    form : Form
    files : tuple of str
        URLs, in order.
    base : str
        Folder that relative names of images are looked for in.
    fingerprint : str
        The same as long as the content is. Of a file, its bytes: all of them up to 256 MiB, beyond that its size, its
        first and last 64 KiB and 254 blocks of 64 KiB spread evenly between. Of a folder, the files' names and sizes
        and the store's checksums, or the times of their last change where it has none.
    """

    location: str
    form: Form
    files: tuple[str, ...]
    base: str
    fingerprint: str


def find(url: str) -> Source:
    """Recognise what is asked and take its fingerprint.

    Raises
    ------
    SurveyError
        Nothing is there, or nothing that can be asked.
    """
    location = storage.full(url)
    fs, path = storage.locate(location)
    try:
        if has_magic(path) or fs.isdir(path):
            return _folder(location)
        with storage.open_for_reading(location) as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError:
        raise SurveyError(f"There is nothing at {location}.") from None
    except OSError as error:
        raise SurveyError(f"{location} can't be read: {error}.") from error
    if not head.strip():
        raise SurveyError(f"{location} is empty.")
    form = Form.PIXELS if head.startswith(pixels.MAGIC) else Form.TABLE
    if form is Form.TABLE and reader.format_of(head) == "parquet":
        form = Form.PARQUET
    return Source(location, form, (location,), location.rpartition("/")[0], _of_content(location))


def _folder(location: str) -> Source:
    named: dict[Form, list[str]] = {Form.PARQUET: [], Form.IMAGES: []}
    digests = {form: hashlib.blake2b(digest_size=16) for form in named}
    base = location.rpartition("/")[0] if has_magic(location) else location.rstrip("/")
    while has_magic(base):
        base = base.rpartition("/")[0]
    for url, size, stamp in storage.listing(location):
        below = _below(url, base)
        if any(part.startswith((".", "_")) for part in below.split("/")):
            continue
        lower = below.lower()
        form = Form.PARQUET if lower.endswith(_PARQUET) else Form.IMAGES if lower.endswith(IMAGES) else None
        if form is not None:
            named[form].append(url)
            digests[form].update(f"{below}\0{size}\0{stamp}\n".encode())
    form = Form.PARQUET if named[Form.PARQUET] else Form.IMAGES
    if not named[form]:
        raise SurveyError(f"There are neither Parquet files nor images at {location}.")
    return Source(location, form, tuple(named[form]), base, digests[form].hexdigest())


def _below(url: str, base: str) -> str:
    """Return the part of a name that a folder of another name would share."""
    path, folder = storage.locate(url)[1], storage.locate(base)[1]
    return path.removeprefix(folder).lstrip("/")


def keys(source: Source) -> Iterator[tuple[str, str]]:
    """Yield key and URL of each image of a folder: its path in the folder is its key."""
    for url in source.files:
        yield _below(url, source.base), url


def _of_content(url: str) -> str:
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
