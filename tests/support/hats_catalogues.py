"""Catalogues in HATS for tests: made by hats-import, and opened and joined by LSDB, as users of HATS do."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dask
import numpy as np
import pyarrow as pa
from distributed import Client, LocalCluster
from pyarrow import parquet

from batch.dask.cluster import DASK_CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from upath import UPath


def scattered(count: int, *, seed: int = 3) -> dict[str, Any]:
    """Return positions all over the sky, half of them in one corner, where a catalogue has smaller pixels."""
    draws = np.random.default_rng(seed)
    half = count // 2
    ra = np.concatenate([draws.uniform(0, 360, count - half), draws.uniform(150, 155, half)])
    dec = np.concatenate([np.degrees(np.arcsin(draws.uniform(-1, 1, count - half))), draws.uniform(0, 5, half)])
    return {"ra": ra, "dec": dec}


@contextmanager
def quietly() -> Iterator[None]:
    """Ignore warnings of other libraries, which would be errors in the tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def import_catalogue(columns: Mapping[str, Any], path: Path, *, most: int = 20, **arguments: Any) -> Path:
    """Make a catalogue with hats-import; return its folder.

    Parameters
    ----------
    columns : mapping
    path : Path
        Folder of the catalogue, with the catalogue's name.
    most : int
        Most rows of a pixel.
    **arguments
        Further arguments of hats-import.
    """
    with quietly():
        from hats_import.catalog.arguments import ImportArguments  # takes five seconds
        from hats_import.pipeline import pipeline_with_client

        table = path.parent / f"{path.name}.parquet"
        parquet.write_table(pa.table(dict(columns)), table)
        given = ImportArguments(
            output_path=path.parent,
            output_artifact_name=path.name,
            input_file_list=[table],
            file_reader="parquet",
            pixel_threshold=most,
            highest_healpix_order=6,
            progress_bar=False,
            **arguments,
        )
        cluster = LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0")
        with dask.config.set(DASK_CONFIG), cluster, Client(cluster) as client:
            pipeline_with_client(given, client)
    return path


def opened(path: Path | UPath) -> Any:
    """Return a catalogue as LSDB opens it."""
    with quietly():
        from lsdb.loaders.hats.read_hats import open_catalog  # takes five seconds

        return open_catalog(path)


def is_valid(path: Path) -> bool:
    """Return whether the HATS library accepts a catalogue as valid."""
    with quietly():
        from hats.io.validation import is_valid_catalog  # takes two seconds

        return bool(is_valid_catalog(path, strict=True))


def rows_of(catalogue: Any) -> list[dict[str, Any]]:
    """Return the rows of a catalogue of LSDB, with its index."""
    with quietly():
        found: list[dict[str, Any]] = catalogue.compute(progress_bar=False).reset_index().to_dict("records")
    return found
