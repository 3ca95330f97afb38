"""A catalogue in memory, searched by PGC number, name or position in microseconds.

It stores twelve numbers per galaxy and no Python objects: the 983,261 galaxies of VizieR VII/237 take about 45 MB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gateway.core.models import Galaxy
from gateway.sky.catalogues import designations
from gateway.sky.catalogues.match import WIDEST_ARCSEC, tolerance_arcsec
from gateway.sky.positions import separation_arcsec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of ``n`` galaxies. Unknown numbers are NaN, an unknown PGC number is 0.

    Attributes
    ----------
    ra_deg, dec_deg : float64 [n]
        Degrees, J2000.
    d25_arcmin, axis_ratio, position_angle_deg : float32 [n]
        Diameter of the 25 mag/arcsec^2 isophote, minor over major axis, degrees east of north.
    pgc : int64 [n]
    """

    ra_deg: NDArray[np.float64]
    dec_deg: NDArray[np.float64]
    d25_arcmin: NDArray[np.float32]
    axis_ratio: NDArray[np.float32]
    position_angle_deg: NDArray[np.float32]
    pgc: NDArray[np.int64]

    @classmethod
    def empty(cls) -> Columns:
        """Return the columns of no galaxy."""
        return cls(*(np.zeros(0, kind) for kind in ("f8", "f8", "f4", "f4", "f4", "i8")))


def name_index(names: Iterable[tuple[str, int]]) -> NDArray[np.void]:
    """Return an index of names with the rows that they belong to; a name may belong to several rows.

    Parameters
    ----------
    names : iterable of (str, int)
        Names in any spelling. They are read one by one, since a list of them would take many times the result's memory.
    """
    keyed = ((designations.key(name).encode(), row) for name, row in names)
    table = np.fromiter(keyed, dtype=[("key", "S40"), ("row", np.int32)])
    table.sort(order=("key", "row"))
    return table


class Catalogue:
    """A catalogue that is searched and never changed.

    Parameters
    ----------
    source : str
        Value of :attr:`gateway.core.models.Galaxy.source` for its galaxies.
    columns : Columns
    names : structured array, optional
        Result of :func:`name_index`.
    named : callable, optional
        Returns the preferred name of a row; without it, galaxies are named by their PGC number.
    placed : bool [n], optional
        Rows that a position may match; all unless given.
    """

    def __init__(
        self,
        source: str,
        columns: Columns,
        *,
        names: NDArray[np.void] | None = None,
        named: Callable[[int], str | None] | None = None,
        placed: NDArray[np.bool_] | None = None,
    ) -> None:
        self._source = source
        self._columns = columns
        self._named = named
        by_dec = np.argsort(columns.dec_deg, kind="stable").astype(np.int32)
        self._by_dec = by_dec if placed is None else by_dec[placed[by_dec]]
        self._decs = columns.dec_deg[self._by_dec]
        self._by_pgc = np.argsort(columns.pgc, kind="stable").astype(np.int32)
        self._pgcs = columns.pgc[self._by_pgc]
        known = name_index(()) if names is None else names
        self._keys, self._key_rows = np.ascontiguousarray(known["key"]), np.ascontiguousarray(known["row"])

    def __len__(self) -> int:
        return len(self._columns.pgc)

    def keys(self) -> list[str]:
        """Return all names in the index, spelt as by :func:`gateway.sky.catalogues.designations.key`."""
        return [name.decode() for name in self._keys.tolist()]

    def row_of(self, pgc: int) -> int | None:
        """Return the row of a PGC number."""
        at = int(np.searchsorted(self._pgcs, pgc))
        return int(self._by_pgc[at]) if at < len(self._pgcs) and self._pgcs[at] == pgc > 0 else None

    def rows_of(self, name: str) -> list[int]:
        """Return the rows that ``name`` belongs to: none, one or several."""
        wanted = designations.key(name).encode()
        if not len(self._keys) or len(wanted) > self._keys.dtype.itemsize:
            return []
        low, high = (int(np.searchsorted(self._keys, wanted, side)) for side in ("left", "right"))
        return sorted({int(row) for row in self._key_rows[low:high]})

    def galaxy(self, row: int) -> Galaxy:
        """Return the galaxy of a row."""
        c = self._columns
        pgc = int(c.pgc[row]) or None
        name = self._named(row) if self._named else None
        d25 = _known(c.d25_arcmin[row])
        return Galaxy(
            ra_deg=float(c.ra_deg[row]),
            dec_deg=float(c.dec_deg[row]),
            name=name or (f"PGC {pgc}" if pgc else None),
            pgc=pgc,
            d25_arcmin=d25,
            axis_ratio=_known(c.axis_ratio[row]),
            position_angle_deg=_known(c.position_angle_deg[row]),
            source=self._source,
            size_source=self._source if d25 is not None else None,
        )

    def near(self, ra_deg: float, dec_deg: float) -> tuple[int, float] | None:
        """Return the row of the galaxy that a position means, and the distance of its centre, arcsec."""
        sizes = self._columns.d25_arcmin
        meant = (
            (row, apart)
            for row, apart in self.within(ra_deg, dec_deg, WIDEST_ARCSEC)
            if apart <= tolerance_arcsec(float(sizes[row]))
        )
        return next(meant, None)

    def within(self, ra_deg: float, dec_deg: float, radius_arcsec: float) -> list[tuple[int, float]]:
        """Return the rows around a position and their distances, arcsec, the nearest first."""
        c = self._columns
        reach = radius_arcsec / 3600
        low, high = np.searchsorted(self._decs, [dec_deg - reach, dec_deg + reach])
        rows = self._by_dec[low:high]
        # Galaxies whose right ascensions differ by more are not near, except around a pole.
        width = reach / max(math.cos(math.radians(min(abs(dec_deg) + reach, 90.0))), 1e-6)
        across = np.abs((c.ra_deg[rows] - ra_deg + 180) % 360 - 180)
        apart = (
            (int(row), separation_arcsec(ra_deg, dec_deg, float(c.ra_deg[row]), float(c.dec_deg[row])))
            for row in rows[across <= width]
        )
        return sorted((one for one in apart if one[1] <= radius_arcsec), key=lambda one: one[1])


def _known(value: np.float32) -> float | None:
    # Single precision holds seven digits; further digits would be noise.
    return None if np.isnan(value) else round(float(value), 4)
