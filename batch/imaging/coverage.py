"""The sky area of images, as a MOC (IVOA, Multi-Order Coverage map 2.0), where mocpy is installed."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import Any

from pyarrow import parquet

from batch import storage
from batch.imaging.matching import CORNERS

NAME = "_coverage.fits"
"""Name of the file beside the index. Aladin and TOPCAT can show it and match with it."""

_ORDER = 12
"""Order of the MOC: cells of 51 arcsec."""
_AT_ONCE = 10_000


def write(url: str, index: str) -> None:
    """Write the coverage of the images of an index; do nothing without mocpy.

    Raises
    ------
    OSError
        The store raised an error.
    """
    try:
        from mocpy import MOC  # an extra
    except ImportError:
        return
    whole: Any = MOC.new_empty(_ORDER)
    with storage.open_for_reading(index) as opened, parquet.ParquetFile(opened) as file:
        for batch in file.iter_batches(_AT_ONCE, columns=list(CORNERS)):
            places = batch.to_pydict()
            corners = [row for row in zip(*(places[name] for name in CORNERS), strict=True) if row[0] is not None]
            vertices = [axis for row in corners for axis in (list(row[0::2]), list(row[1::2]))]
            if vertices:
                whole = functools.reduce(MOC.union, MOC.from_polygons(vertices, max_depth=_ORDER), whole)
    with tempfile.TemporaryDirectory(prefix="inclinet-imaging-") as folder:
        whole.save(made := Path(folder, "coverage.fits"))
        storage.write(url, made.read_bytes())
