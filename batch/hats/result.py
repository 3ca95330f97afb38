"""Writes a result as a HATS catalogue with the pixels of the input catalogue, so that LSDB can join the two."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from hats.catalog.dataset.table_properties import TableProperties
from hats.catalog.partition_info import PartitionInfo
from hats.io.parquet_metadata import write_parquet_metadata
from hats.io.paths import HIVE_COLUMNS, get_healpix_from_path, new_pixel_catalog_file
from hats.io.skymap import write_skymap
from hats.pixel_math.sparse_histogram import HistogramAggregator, SparseHistogram
from hats.pixel_math.spatial_index import SPATIAL_INDEX_COLUMN, compute_spatial_index, spatial_index_to_healpix
from pyarrow import parquet
from upath import UPath

from batch import storage
from batch.errors import BatchError
from batch.outputs.results import COLUMNS, PREFIX, schema_of, table_of
from gateway.core import errors
from gateway.tables.files.parquetfile import fields_of
from gateway.tables.header.columns import recognise
from gateway.tables.header.words import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from batch.hats.catalogue import HatsCatalogue
    from gateway.tables.results import Row

MARK = "_inclinet.json"
"""Name of the file that marks a catalogue as a result, which may be overwritten."""

_ROWS_AT_ONCE = 10_000
_SKYMAP_ORDER = 8
_MOST_FOOTERS = 10_000
"""Most files whose footers are copied to ``_metadata``, which is optional for readers of HATS and held in memory."""

_CHANGED = "The result has other rows than {}: it was changed while it was asked. Run it again into another output."


def check(out: str) -> None:
    """Raise BatchError where a folder holds anything but a result in HATS."""
    there = storage.names(out)
    if there and MARK not in there:
        raise BatchError(f"{out} holds {there[0]} and is no earlier result in HATS: give another output.")


class HatsResult:
    """The result as a HATS catalogue: one file per pixel, with the columns that join it to the input catalogue.

    Parameters
    ----------
    catalogue : HatsCatalogue
        Input catalogue.
    files : sequence of str
        URLs of its files, in order.
    choice : mapping
        Column by role, where a person chose it.
    all_columns : bool
        Whether to copy all columns, not only the index, the position and the identifiers.

    Raises
    ------
    BatchError
        A file can't be read, or lacks these columns.
    """

    def __init__(
        self, catalogue: HatsCatalogue, files: Sequence[str], *, choice: Mapping[str, str], all_columns: bool
    ) -> None:
        self._catalogue, self._files = catalogue, files
        try:
            with storage.open_for_reading(files[0]) as opened:
                schema = parquet.read_schema(opened)
            reading = recognise(fields_of(schema)[0], choice)
        except errors.BadTable as error:
            raise BatchError(f"{files[0]}: {error.detail}") from error
        except (OSError, pa.ArrowException) as error:
            raise BatchError(f"{files[0]} can't be read: {error}.") from error
        self._index = catalogue.index or (SPATIAL_INDEX_COLUMN if SPATIAL_INDEX_COLUMN in schema.names else None)
        needed = [name for name in (self._index, catalogue.ra, catalogue.dec) if name is not None]
        for name in needed:
            if name not in schema.names:
                raise BatchError(f"The HATS catalogue {catalogue.name} has no column {name}, but says that it has.")
        ids = [*catalogue.ids, *(reading.uses[KEY].columns if KEY in reading.uses else ())]
        wanted = schema.names if all_columns else [name for name in ids if name in schema.names]
        self._names = [name for name in dict.fromkeys([*needed, *wanted]) if name not in HIVE_COLUMNS]
        self._carried = self._renamed(schema)

    def _renamed(self, schema: Any) -> list[Any]:
        """Return the fields that are copied, renamed where a column of the result has the name."""
        taken, fields = {column.name.lower() for column in COLUMNS}, []
        for name in self._names:
            new = name
            while new.lower() in taken:
                new = f"in_{new}"
            taken.add(new.lower())
            fields.append(schema.field(name).with_name(new))
        return fields

    def write(self, out: str, folder: str, rows: Callable[[], Iterable[Row]], about: Mapping[str, str]) -> None:
        """Write the catalogue. On a disk it appears whole or not at all; in a store its properties are written last.

        Parameters
        ----------
        out : str
            Folder of the catalogue.
        folder : str
            Folder of the partitions, on the same disk.
        rows : callable
            Returns a new iterator over the rows of the result, in order.
        about : mapping
            Facts about the result as a whole: ``creator`` and ``release``.

        Raises
        ------
        BatchError
            The result has other rows than the catalogue.
        OSError
            The catalogue can't be written.
        """
        fs, path = storage.locate(out)
        name = path.rstrip("/").rpartition("/")[2]
        if not storage.is_local(fs):
            for old in storage.names(out):
                # the mark stays until the end, so that the rest after a kill is still recognised as a result
                if old != MARK:
                    fs.rm(storage.locate(storage.join(out, old))[1], recursive=True)
            self._write(out, name, rows(), about)
            return
        made, before = Path(folder, "_hats"), Path(folder, "_hats_before")
        for one in (made, before):
            shutil.rmtree(one, ignore_errors=True)
        self._write(str(made), name, rows(), about)
        if Path(path).exists():
            Path(path).rename(before)
        made.rename(path)
        shutil.rmtree(before, ignore_errors=True)

    def _write(self, root: str, name: str, rows: Iterable[Row], about: Mapping[str, str]) -> None:
        storage.write(storage.join(root, MARK), json.dumps(dict(about), indent=2).encode())
        # from a string, hats would treat a bucket as a public one
        base, schema = UPath(root), self._schema(about)
        skymap, counts, remaining = HistogramAggregator(_SKYMAP_ORDER), dict[Any, int](), iter(rows)
        for pixel, urls in itertools.groupby(self._files, get_healpix_from_path):
            tables = self._tables(urls, remaining, schema)
            first = next(tables, None)
            if first is None:
                continue
            file = new_pixel_catalog_file(base, pixel)
            with file.open("wb") as opened, parquet.ParquetWriter(opened, schema, compression="zstd") as writer:
                for table in itertools.chain([first], tables):
                    writer.write_table(table)
                    counts[pixel] = counts.get(pixel, 0) + len(table)
                    skymap.add(self._histogram(table))
        if next(remaining, None) is not None:
            raise BatchError(_CHANGED.format(self._catalogue.name))
        write_parquet_metadata(base, create_metadata=len(counts) <= _MOST_FOOTERS)
        info = PartitionInfo(list(counts))
        info.write_to_file(catalog_path=base)
        write_skymap(skymap.full_histogram, base)
        self._properties(base, name, info, counts, about).to_properties_file(base)

    def _schema(self, about: Mapping[str, str]) -> Any:
        index = [] if self._index is not None else [pa.field(SPATIAL_INDEX_COLUMN, pa.int64())]
        metadata = {f"{PREFIX}{name}": text for name, text in about.items()}
        return pa.schema([*index, *self._carried, *schema_of(COLUMNS)], metadata)

    def _tables(self, urls: Iterable[str], rows: Iterator[Row], schema: Any) -> Iterator[Any]:
        """Yield tables of the files' copied columns beside the rows of the result."""
        ours = schema_of(COLUMNS)
        for url in urls:
            try:
                with storage.open_for_reading(url) as opened, parquet.ParquetFile(opened) as file:
                    for batch in file.iter_batches(_ROWS_AT_ONCE, columns=self._names):
                        found = list(itertools.islice(rows, len(batch)))
                        if len(found) < len(batch):
                            raise BatchError(_CHANGED.format(self._catalogue.name))
                        index = [] if self._index is not None else [self._computed(batch)]
                        arrays = [*index, *map(batch.column, self._names), *table_of(found, ours).columns]
                        yield pa.Table.from_arrays(arrays, names=schema.names).cast(schema)
            except pa.ArrowException as error:
                raise BatchError(f"{url} can't be carried along: {error}.") from error

    def _computed(self, batch: Any) -> Any:
        """Return the index computed from positions, for catalogues without one."""
        places = (batch.column(name).to_numpy(zero_copy_only=False) for name in self._names[:2])
        return pa.array(compute_spatial_index(*places))

    def _histogram(self, table: Any) -> SparseHistogram:
        indexes = spatial_index_to_healpix(table.column(0).to_numpy(), _SKYMAP_ORDER, self._catalogue.index_order)
        return SparseHistogram(*np.unique(indexes, return_counts=True), _SKYMAP_ORDER)

    def _properties(
        self, base: UPath, name: str, info: PartitionInfo, counts: Mapping[Any, int], about: Mapping[str, str]
    ) -> TableProperties:
        new = {old: field.name for old, field in zip(self._names, self._carried, strict=True)}
        return TableProperties(
            catalog_name=name,
            catalog_type=self._catalogue.kind,
            total_rows=sum(counts.values()),
            ra_column=new[self._catalogue.ra],
            dec_column=new[self._catalogue.dec],
            healpix_column=SPATIAL_INDEX_COLUMN if self._index is None else new[self._index],
            healpix_order=self._catalogue.index_order,
            skymap_order=_SKYMAP_ORDER,
            hats_max_rows=max(counts.values(), default=0),
            moc_sky_fraction=info.calculate_fractional_coverage(),
            hats_order=info.get_highest_order(),
            prov_progenitor=self._catalogue.name,
            inclinet_release=about["release"],
            **TableProperties.new_provenance_dict(base, builder=about["creator"]),
        )
