"""The index of images of the sky: their footprints, bands and scales, made from their headers once.

The index is a Parquet file with a row for each image (a band of a file), and for each file that can't be used. TOPCAT
can open it, and another batch can use it instead of the images.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from batch import storage
from batch.imaging.matching import CORNERS, vectors
from batch.outputs.results import table_of
from gateway.core import errors
from gateway.core.resources import processors
from gateway.images.bands import wavelength_nm
from gateway.images.limits import MAX_PIXELS
from gateway.images.mosaic.celestial import footprint
from gateway.images.mosaic.files import BLOCK_BYTES, TILES_BYTES, band_images, damage_as_bad_image, opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gateway.images.mosaic.files import BandImage
    from gateway.images.mosaic.sections import TileCache

SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("mask", pa.string()),
        pa.field("weight", pa.string()),
        pa.field("hdu", pa.int32()),
        pa.field("plane", pa.int32()),
        pa.field("band", pa.string()),
        pa.field("compressed", pa.bool_()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        *(pa.field(name, pa.float64()) for name in ("pixel_arcsec", "ra_deg", "dec_deg", "radius_deg", *CORNERS)),
        pa.field("problem", pa.string()),
    ]
)
MARK = b"inclinet.footprints.2"
"""Key in the metadata of an index, whose value is the fingerprint of its files."""

_WIDEST_DEG = 30.0
_FILES_AT_ONCE = 64
"""Files per process; it opens several at once, since most of the time it waits for a store."""
_THREADS = 16
_ROWS = 10_000
_MICRODEGREES = 1e6

Named = tuple[str, tuple[str, ...]]
"""A file, and its bands where a person named them."""


def write(url: str, files: Sequence[Named], fingerprint: str, beside: Mapping[str, Mapping[str, str]]) -> None:
    """Write the index of files, with the masks and weights in ``beside`` (:mod:`batch.imaging.companions`).

    Raises
    ------
    OSError
        The index can't be written.
    """
    seen: dict[tuple[Any, ...], str] = {}
    schema = SCHEMA.with_metadata({MARK: fingerprint.encode()})
    with storage.writing(url) as made, parquet.ParquetWriter(made, schema, compression="zstd") as writer:
        rows = (_once(row, seen) | dict(beside.get(row["file"], {})) for row in _scanned(files))
        while group := list(itertools.islice(rows, _ROWS)):
            writer.write_table(table_of(group, schema))


def _scanned(files: Sequence[Named]) -> Iterator[dict[str, Any]]:
    chunks = [files[start : start + _FILES_AT_ONCE] for start in range(0, len(files), _FILES_AT_ONCE)]
    if len(chunks) <= processors():
        yield from itertools.chain.from_iterable(map(_of_files, chunks))
        return
    with ProcessPoolExecutor(processors(), get_context("spawn")) as pool:
        yield from itertools.chain.from_iterable(pool.map(_of_files, chunks))


def _of_files(files: Sequence[Named]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(itertools.chain.from_iterable(pool.map(_of_file, files)))


def _of_file(named: Named) -> list[dict[str, Any]]:
    file, bands = named
    try:
        with ExitStack() as stack:
            return [_row(file, image) for image in images_of(file, bands, stack)]
    except errors.GatewayError as problem:
        return [{"file": file, "problem": problem.detail}]
    # stores have their own errors for missing or forbidden files
    except Exception as error:  # noqa: BLE001 - see above
        return [{"file": file, "problem": f"It can't be read: {reason(error)}."}]


def reason(error: Exception) -> str:
    """Return the message of a disk's or store's error, as a line without its full stop."""
    lines = str(getattr(error, "strerror", None) or error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def images_of(
    file: str, bands: Sequence[str], stack: ExitStack, *, compressed: bool = True, tiles: TileCache | None = None
) -> tuple[BandImage, ...]:
    """Open a file, which ``stack`` closes, and list its images.

    Parameters
    ----------
    file : str
        Path or URL.
    bands : sequence of str
        One band for all of its images, or one for each; from the headers where empty.
    stack : ExitStack
    compressed : bool
        Whether the images are tile-compressed.
    tiles : TileCache, optional
        Cache of unpacked tiles, shared with other files.

    Raises
    ------
    errors.ImageError
        The file can't be used.
    OSError, ImportError
        The file can't be read.
    """
    stream = opened(file, stack, TILES_BYTES if compressed else BLOCK_BYTES)
    with damage_as_bad_image(files=True):
        return band_images([stream], bands, MAX_PIXELS, tiles)


def _row(file: str, image: BandImage) -> dict[str, Any]:
    places, scale = footprint(image.wcs, image.shape)
    height, width = image.shape
    if image.band is None or wavelength_nm(image.band) is None:
        raise errors.BandsUnknown(
            f"Its header names no band that is known ({image.band or 'no FILTER, BAND or BANDS'}): name it in a table "
            "with the columns file and band."
        )
    centre, *corners = vectors(places[:, 0], places[:, 1])
    radius = max(np.degrees(2 * np.arcsin(np.linalg.norm(corner - centre) / 2)) for corner in corners)
    if not radius < _WIDEST_DEG:
        raise errors.WcsUnusable(f"Its corners lie on no sky, or more than {_WIDEST_DEG:g} deg from its centre.")
    row = dict(zip(("ra_deg", "dec_deg", *CORNERS), map(float, places.ravel()), strict=True))
    return row | {
        "file": file,
        "hdu": image.unit.number,
        "plane": image.pixels.number,
        "band": image.band,
        "compressed": image.unit.compressed,
        "width": width,
        "height": height,
        "pixel_arcsec": scale,
        "radius_deg": float(radius),
    }


def _once(row: dict[str, Any], seen: dict[tuple[Any, ...], str]) -> dict[str, Any]:
    """Return the row of an image; a repeated image of the same sky and band becomes a problem."""
    if "problem" in row:
        return row
    corners = (round(row[name] * _MICRODEGREES) for name in CORNERS[:4])
    before = seen.setdefault((wavelength_nm(row["band"]), *corners), row["file"])
    if before == row["file"]:
        return row
    return {"file": row["file"], "problem": f"It shows the same sky in {row['band']} as {before}, which is used."}


def problems(rows: Iterable[dict[str, Any]], shown: int) -> list[str]:
    """Return the first problems of files, one line each."""
    return [f"  {row['file']}: {row['problem']}" for row in itertools.islice(rows, shown)]
