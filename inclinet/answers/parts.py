"""Parts of an answer beside the inclination: the galaxy, and the fitted ellipse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astropy.coordinates import SkyCoord
    from astropy.units import Quantity


def quantity(value: Any, unit: str = "deg") -> Any:
    """Return a value as a Quantity; None for None."""
    from astropy.units import Quantity  # takes 0.2 s, which a question alone does not need

    return None if value is None else Quantity(value, unit)


@dataclass(frozen=True)
class ResolvedGalaxy:
    """The galaxy of a target: a view of ``galaxy`` in an answer.

    Parameters
    ----------
    json : mapping
        ``galaxy`` of the gateway's JSON.
    """

    json: Mapping[str, Any] = field(repr=False, hash=False)

    @property
    def name(self) -> str | None:
        """Name preferred by the resolver."""
        name: str | None = self.json.get("name")
        return name

    @property
    def pgc(self) -> int | None:
        """Number in the Principal Galaxies Catalogue (PGC)."""
        number: int | None = self.json.get("pgc")
        return number

    @property
    def coordinates(self) -> SkyCoord:
        """Position, ICRS."""
        from astropy.coordinates import SkyCoord

        return SkyCoord(self.json["ra_deg"], self.json["dec_deg"], unit="deg")

    @property
    def d25(self) -> Quantity | None:
        """Major diameter at 25 mag/arcsec^2, arcmin."""
        return quantity(self.json.get("d25_arcmin"), "arcmin")

    @property
    def axis_ratio(self) -> float | None:
        """Minor over major axis in the catalogue."""
        ratio: float | None = self.json.get("axis_ratio")
        return ratio

    @property
    def position_angle(self) -> Quantity | None:
        """Position angle of the major axis, degrees east of north."""
        return quantity(self.json.get("position_angle_deg"))

    @property
    def source(self) -> str:
        """Catalogue or service that resolved the target."""
        return str(self.json["source"])

    @property
    def size_source(self) -> str | None:
        """Catalogue or service that gave the diameter."""
        source: str | None = self.json.get("size_source")
        return source

    def __repr__(self) -> str:
        return f"<{self.name or 'galaxy'}: RA {self.json['ra_deg']} deg, Dec {self.json['dec_deg']} deg>"


@dataclass(frozen=True)
class FittedIsophote:
    """The classical estimate, for comparison: cos^2 i = (q^2 - r^2) / (1 - r^2).

    Parameters
    ----------
    json : mapping
        ``ellipticity`` of the gateway's JSON.
    """

    json: Mapping[str, Any] = field(repr=False, hash=False)

    @property
    def axis_ratio(self) -> float:
        """Axis ratio q of the isophote fitted to the picture."""
        return float(self.json["axis_ratio"])

    @property
    def inclination(self) -> Quantity:
        """Inclination by the formula, degrees."""
        return quantity(self.json["inclination_deg"])

    @property
    def r(self) -> float:
        """Assumed axis ratio of an edge-on disc."""
        return float(self.json["r"])

    @property
    def ellipse(self) -> Mapping[str, float]:
        """The ellipse in units of the picture.

        ``x`` and ``y`` are fractions of the width from the left and of the height from the top, ``semi_major`` and
        ``semi_minor`` fractions of the longer side, ``angle_deg`` is counter-clockwise from the right.
        """
        ellipse: Mapping[str, float] = self.json["ellipse"]
        return ellipse

    def __repr__(self) -> str:
        return f"<q = {self.axis_ratio}: {self.json['inclination_deg']} deg>"
