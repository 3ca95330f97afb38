"""An answer: what a gateway says of one galaxy, with units."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inclinet import columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from astropy.coordinates import SkyCoord
    from astropy.table import QTable
    from astropy.units import Quantity
    from matplotlib.axes import Axes


def _quantity(value: Any, unit: str = "deg") -> Any:
    """Return a Quantity; None for None."""
    from astropy.units import Quantity  # noqa: PLC0415 - 0.2 s that asking does not need

    return None if value is None else Quantity(value, unit)


@dataclass(frozen=True)
class ResolvedGalaxy:
    """Which galaxy a target is: a view of ``galaxy`` in an answer.

    Parameters
    ----------
    json : mapping
        As the gateway sent it.
    """

    json: Mapping[str, Any] = field(repr=False, hash=False)

    @property
    def name(self) -> str | None:
        """Name that the resolver prefers."""
        name: str | None = self.json.get("name")
        return name

    @property
    def pgc(self) -> int | None:
        """Number in the Principal Galaxies Catalogue."""
        number: int | None = self.json.get("pgc")
        return number

    @property
    def coordinates(self) -> SkyCoord:
        """Position, ICRS."""
        from astropy.coordinates import SkyCoord  # noqa: PLC0415 - as above

        return SkyCoord(self.json["ra_deg"], self.json["dec_deg"], unit="deg")

    @property
    def d25(self) -> Quantity | None:
        """Major diameter at 25 mag/arcsec^2, arcmin."""
        return _quantity(self.json.get("d25_arcmin"), "arcmin")

    @property
    def axis_ratio(self) -> float | None:
        """Minor over major axis, from the catalogue."""
        ratio: float | None = self.json.get("axis_ratio")
        return ratio

    @property
    def position_angle(self) -> Quantity | None:
        """Position angle of the major axis, degrees east of north."""
        return _quantity(self.json.get("position_angle_deg"))

    @property
    def source(self) -> str:
        """Catalogue or service that resolved the target."""
        return str(self.json["source"])

    @property
    def size_source(self) -> str | None:
        """Catalogue or service that the diameter is from."""
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
        As the gateway sent it.
    """

    json: Mapping[str, Any] = field(repr=False, hash=False)

    @property
    def axis_ratio(self) -> float:
        """The axis ratio q of the isophote that was fitted to the picture."""
        return float(self.json["axis_ratio"])

    @property
    def inclination(self) -> Quantity:
        """Inclination by the formula, degrees."""
        return _quantity(self.json["inclination_deg"])

    @property
    def r(self) -> float:
        """The axis ratio that an edge-on disc is taken to have."""
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


@dataclass(frozen=True)
class Answer:
    """What the service says of one galaxy. 0 deg is face-on, 90 deg edge-on.

    Parameters
    ----------
    json : mapping
        The answer as the gateway sent it, with members of later versions too.
    service : str
        URL of the gateway.

    Raises
    ------
    ValueError, TypeError, AttributeError
        ``json`` is no answer of a gateway.

    Examples
    --------
    >>> answer = Inclinet().query_object("NGC 7331")
    >>> answer.inclination, answer.interval68
    (<Quantity 70.1 deg>, <Quantity [68.2, 72. ] deg>)
    """

    json: Mapping[str, Any] = field(repr=False, hash=False)
    service: str = ""

    def __post_init__(self) -> None:
        self.row()

    def __repr__(self) -> str:
        values, galaxy = self.json["inclination"], self.galaxy
        low, high = values["interval68_deg"]["low"], values["interval68_deg"]["high"]
        name = f"{galaxy.name}: " if galaxy is not None and galaxy.name else ""
        return f"<Answer {name}{values['median_deg']} deg, 68 % within {low} to {high}, release {self.release}>"

    @property
    def inclination(self) -> Quantity:
        """Inclination: the median of the ensemble, degrees."""
        return _quantity(self.json["inclination"]["median_deg"])

    @property
    def mean(self) -> Quantity:
        """Mean of the ensemble, degrees."""
        return _quantity(self.json["inclination"]["mean_deg"])

    @property
    def stdev(self) -> Quantity:
        """Standard deviation of the ensemble, degrees: how far the networks disagree, which is no error bar."""
        return _quantity(self.json["inclination"]["stdev_deg"])

    @property
    def interval68(self) -> Quantity:
        """Calibrated interval ``[low, high]``, degrees: it holds the human value of 68 % of galaxies."""
        return self._interval("interval68_deg")

    @property
    def interval95(self) -> Quantity:
        """Calibrated interval ``[low, high]``, degrees: it holds the human value of 95 % of galaxies."""
        return self._interval("interval95_deg")

    @property
    def range(self) -> Quantity:
        """Lowest and highest network, degrees."""
        return self._interval("range_deg")

    def _interval(self, name: str) -> Quantity:
        interval = self.json["inclination"][name]
        return _quantity([interval["low"], interval["high"]])

    @property
    def flavors(self) -> dict[str, Quantity]:
        """What each network of the ensemble says, degrees, by its name."""
        return {one["name"]: _quantity(one["inclination_deg"]) for one in self.json["flavors"]}

    @property
    def rejection(self) -> float | None:
        """Likelihood that a person would reject the image, 0 to 1; None where no rejector answered."""
        median: float | None = self.json["rejection"]["median"]
        return median

    @property
    def ellipticity(self) -> FittedIsophote | None:
        """The estimate from the axis ratio of the outline; None where none could be fitted."""
        fit = self.json.get("ellipticity")
        return FittedIsophote(fit) if fit else None

    @property
    def galaxy(self) -> ResolvedGalaxy | None:
        """The galaxy that the target was resolved to; None for an image."""
        galaxy = self.json.get("galaxy")
        return ResolvedGalaxy(galaxy) if galaxy else None

    @property
    def image(self) -> dict[str, Any]:
        """The image that was measured, without its pixels: source, format, size, stretch, frame, field of view."""
        return {name: value for name, value in self.json["image"].items() if name not in {"cutout", "model_input"}}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a careful reader should know, in plain words."""
        return tuple(self.json["warnings"])

    @property
    def release(self) -> str:
        """The model release that answered."""
        return str(self.json["release"])

    @property
    def picture(self) -> bytes | None:
        """The survey's cutout as an image file, else what the networks saw (128x128, PNG); None without pictures."""
        return self._image("cutout") or self._image("model_input")

    def _image(self, name: str) -> bytes | None:
        url = self.json["image"].get(name)
        return base64.b64decode(url.partition(",")[2]) if url else None

    def row(self) -> dict[str, Any]:
        """Return the answer as one flat row, by the names of the API's own tables."""
        return columns.row(self.json)

    def to_table(self) -> QTable:
        """Return the answer as a table of one row, with units, UCDs in ``info.meta``, and masks.

        Returns
        -------
        astropy.table.QTable
            ``meta`` holds ``release``, ``service`` and ``warnings``.
        """
        return tabulate([self])

    def plot(self) -> tuple[Axes, Axes]:
        """Draw the picture with the fitted ellipse, and each network's word with the intervals, by pyplot.

        Returns
        -------
        tuple of matplotlib.axes.Axes
            That of the picture and that of the networks; ``[0].figure.savefig(...)`` writes both.

        Raises
        ------
        ModuleNotFoundError
            matplotlib is missing: ``pip install 'inclinet[plot]'``.
        """
        from inclinet.drawing import axes  # noqa: PLC0415 - an extra

        return axes(self)

    def broadcast(self) -> list[str]:
        """Send the answer as a table to the programs at the SAMP hub, such as TOPCAT and Aladin.

        Returns
        -------
        list of str
            Names of the programs that took it.

        Raises
        ------
        inclinet.errors.SampError
        """
        from inclinet.samp import broadcast  # noqa: PLC0415 - asking needs none of it

        return broadcast(self)

    def _repr_html_(self) -> str:
        """Show the answer in a notebook."""
        from inclinet.drawing import html  # noqa: PLC0415 - as above

        return html(self)


def tabulate(answers: Sequence[Answer]) -> QTable:
    """Return answers of one gateway as a table, a row each; see :meth:`Answer.to_table`."""
    warnings = [warning for one in answers for warning in one.warnings]
    meta = {"release": answers[0].release, "service": answers[0].service, "warnings": warnings}
    return columns.table_of([one.row() for one in answers], columns.COLUMNS, meta)
