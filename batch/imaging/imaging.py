"""The images of the sky that galaxies are cut from: found, indexed once, and summarised before a run."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from batch import storage
from batch.errors import BatchError
from batch.imaging import coverage, footprints
from batch.imaging.companions import companions
from batch.imaging.cutter import Cutters
from batch.inputs.source import fingerprint_of
from batch.outputs import partitions
from gateway.core import errors
from gateway.images.bands import red_green_blue, wavelength_nm
from gateway.tables.folders import FITS_SUFFIXES
from gateway.tables.header.words import FILE, NAME, words_of
from gateway.tables.reader import open_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from batch.imaging.footprints import Named

INDEX = "_imaging.parquet"
"""Name of the index of footprints, in the folder of the partitions. The ``_`` marks it as no result."""

_SHOWN = 20
_MOST_BANDS = 3
_FILE_WORDS = {(FILE,), (FILE, FILE), (FILE, NAME), ("url",), ("uri",)}
_BAND_NAMES = {"band", "bands", "filter"}


@dataclass(frozen=True, slots=True)
class SkyImages:
    """Images of the sky, as plain values that are sent to workers.

    Attributes
    ----------
    location : str
        Path or URL as it was given; a local path is made absolute.
    index : str
        URL of the index of footprints.
    fingerprint : str
        Fingerprint of the names, sizes and times of the files, or of the table that names them.
    bands : mapping
        Band of a picture for each name in the images: the first one, of several names for one wavelength.
    shown : tuple of str
        Bands of a picture, the longest first.
    """

    location: str
    index: str
    fingerprint: str
    bands: Mapping[str, str]
    shown: tuple[str, ...]

    @property
    def identity(self) -> dict[str, str]:
        """Settings that answers depend on, by the words that a refusal uses."""
        return {"imaging": f"{self.location}, as of {self.fingerprint[:8]}", "bands": ",".join(self.shown)}

    def cutters(self) -> Cutters:
        """Return the object that makes the cutters of partitions."""
        return Cutters(self)


def find(location: str, folder: str, bands: Sequence[str], say: Callable[[str], None]) -> SkyImages:
    """Find images of the sky, and make the index of their footprints unless an earlier run did.

    Parameters
    ----------
    location : str
        Path or URL of a folder, a pattern or an image; a table that names files; or an index of another batch.
    folder : str
        Folder of the partitions.
    bands : sequence of str
        Bands of a picture; chosen from those of the images where empty.
    say : callable
        Called with sentences about the images.

    Raises
    ------
    BatchError
        No image can be used, or a band does not exist.
    """
    location = storage.absolute(location)
    index, fingerprint = _indexed(location, folder, say)
    there, refused, kinds = _summed_up(index)
    if refused:
        say(f"{sum(kinds.values()):,} of the files and images can't be used; all are listed in {index}:")
        for sentence in refused:
            say(sentence)
    if not there:
        raise BatchError(f"No image at {location} can be used: it takes FITS files with a celestial WCS and a band.")
    named = _canonical(there)
    shown = _shown(sorted(set(named.values()), key=lambda band: -(wavelength_nm(band) or 0)), bands, location)
    counts = ", ".join(f"{sum(there[name] for name in there if named[name] == band):,} in {band}" for band in shown)
    say(f"Images of the sky: {counts}.")
    return SkyImages(location, index, fingerprint, named, shown)


def _indexed(location: str, folder: str, say: Callable[[str], None]) -> tuple[str, str]:
    """Return the URL of the index and the fingerprint of its files."""
    try:
        fs, path = storage.locate(location)
        if fs.isdir(path) or storage.is_pattern(location):
            files, fingerprint = _listed(location)
        elif (mark := _mark(location)) is not None:
            return location, mark
        else:
            files, fingerprint = _named_in(location), fingerprint_of(location)
        index = storage.join(folder, INDEX)
        if storage.exists(index) and _mark(index) == fingerprint:
            return index, fingerprint
        _refuse_another(folder, location)
        beside = companions([file for file, _ in files])
        files = [named for named in files if named[0] not in beside.aside]
        say(f"Reading the headers of {len(files):,} {'file' if len(files) == 1 else 'files'} at {location}…")
        if beside.aside:
            say(f"By their names {len(beside.aside):,} more are masks, weights and the like of these.")
        footprints.write(index, files, fingerprint, beside.of)
        coverage.write(storage.join(folder, coverage.NAME), index)
    except BatchError:
        raise
    except FileNotFoundError:
        raise BatchError(f"There is nothing at {location}.") from None
    # stores have their own errors, such as for missing credentials
    except Exception as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BatchError(f"The images at {location} can't be read: {said}.") from error
    return index, fingerprint


def _refuse_another(folder: str, location: str) -> None:
    if partitions.recorded(folder) is not None:
        raise BatchError(
            f"{folder} holds a batch of other images: {location} has changed since, or is another. Give another "
            "output, or delete the folder to start anew."
        )


def _listed(location: str) -> tuple[list[Named], str]:
    digest = hashlib.blake2b(digest_size=16)
    files: list[Named] = []
    for url, size, stamp in storage.listing(location):
        if url.lower().endswith(FITS_SUFFIXES):
            files.append((url, ()))
            digest.update(f"{url}\0{size}\0{stamp}\n".encode())
    if not files:
        raise BatchError(f"There is no FITS file at {location}.")
    return files, digest.hexdigest()


def _mark(url: str) -> str | None:
    """Return the fingerprint in the metadata of an index; None for any other file."""
    with storage.open_for_reading(url) as file:
        try:
            found = (parquet.read_schema(file).metadata or {}).get(footprints.MARK)
        except pa.ArrowException:
            return None
    return found.decode() if found is not None else None


def _named_in(location: str) -> list[Named]:
    """Return the files that a table names, with their bands; a FITS file without a table is an image itself."""
    with TemporaryDirectory(prefix="inclinet-imaging-") as temporary:
        fs, path = storage.locate(location)
        local = Path(path)
        if not storage.is_local(fs):
            local = Path(temporary, "table")
            fs.get_file(path, str(local))
        try:
            table = open_table(local)
        except errors.BadTable as error:
            if location.lower().endswith(FITS_SUFFIXES):
                return [(location, ())]
            raise BatchError(f"{location}: {error.detail}") from None
        names = [one.name for one in table.fields]
        file = next((name for name in names if words_of(name) in _FILE_WORDS), None)
        band = next((name for name in names if name.strip().lower() in _BAND_NAMES), None)
        if file is None:
            raise BatchError(f"{location} has no column file, which would name the images of the sky.")
        base = location.rpartition("/")[0]
        found: list[Named] = []
        for row in table.records({file, band} if band else {file}):
            said = str(row.get(band) or "") if band else ""
            if row[file]:
                named = tuple(one.strip() for one in said.split(",") if one.strip())
                found.append((storage.below(base, str(row[file]).strip()), named))
    if not found:
        raise BatchError(f"{location} names no images.")
    return found


def _summed_up(index: str) -> tuple[Counter[str], list[str], Counter[str]]:
    """Return the number of images of each band, the first problems, and the counts of problems."""
    there: Counter[str] = Counter()
    refused: list[str] = []
    kinds: Counter[str] = Counter()
    with storage.open_for_reading(index) as opened, parquet.ParquetFile(opened) as file:
        for batch in file.iter_batches(columns=["file", "band", "problem"]):
            rows: list[dict[str, Any]] = batch.to_pylist()
            there.update(row["band"] for row in rows if row["problem"] is None)
            bad = [row for row in rows if row["problem"] is not None]
            kinds["problem"] += len(bad)
            refused += footprints.problems(bad, _SHOWN - len(refused))
    return there, refused, kinds


def _canonical(there: Counter[str]) -> dict[str, str]:
    """Return one name for all bands of a wavelength: the name that most images have."""
    first: dict[float | None, str] = {}
    return {band: first.setdefault(wavelength_nm(band), band) for band, _ in there.most_common()}


def _shown(there: Sequence[str], asked: Sequence[str], location: str) -> tuple[str, ...]:
    if asked:
        waves = {wavelength_nm(band): band for band in there}
        missing = [band for band in asked if wavelength_nm(band) not in waves]
        if missing or len(asked) > _MOST_BANDS:
            has = f"the images at {location} are in {', '.join(there)}"
            raise BatchError(f"--bands {','.join(asked)}: up to {_MOST_BANDS} bands make a picture, and {has}.")
        return tuple(sorted({waves[wavelength_nm(band)] for band in asked}, key=there.index))
    chosen = red_green_blue(there)
    return tuple(there[place] for place in chosen) if chosen else tuple(there)
