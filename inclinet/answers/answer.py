"""A gateway's answer about one galaxy, with units."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inclinet.answers import columns, words
from inclinet.answers.parts import FittedIsophote, ResolvedGalaxy, quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from astropy.units import Quantity
    from matplotlib.axes import Axes

    from inclinet.answers.table import AnswerTable


@dataclass(frozen=True)
class Answer:
    """The service's answer about one galaxy. 0 deg is face-on, 90 deg edge-on.

    Parameters
    ----------
    json : mapping
        Answer in the gateway's JSON; members of later versions are allowed.
    service : str
        URL of the gateway.

    Raises
    ------
    ValueError, TypeError, AttributeError
        ``json`` is no gateway's answer.

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
        name = f"{galaxy.name}: " if galaxy is not None and galaxy.name else ""
        bound = f"{words.below(values)} (95 %), " if words.below(values) else ""
        within = words.interval(values, 68, " to ")
        return f"<Answer {name}{words.median(values)}, 68 % within {within}, {bound}release {self.release}>"

    @property
    def inclination(self) -> Quantity:
        """Inclination: the median of the ensemble, degrees."""
        return quantity(self.json["inclination"]["median_deg"])

    @property
    def mean(self) -> Quantity:
        """Mean of the ensemble, degrees."""
        return quantity(self.json["inclination"]["mean_deg"])

    @property
    def stdev(self) -> Quantity:
        """Standard deviation of the ensemble, degrees: how far the networks disagree; not an error bar."""
        return quantity(self.json["inclination"]["stdev_deg"])

    @property
    def interval68(self) -> Quantity:
        """Calibrated ``[low, high]``, degrees: contains the inclination of 68 % of galaxies on the human scale."""
        return self._interval("interval68_deg")

    @property
    def interval95(self) -> Quantity:
        """Calibrated ``[low, high]``, degrees: contains the inclination of 95 % of galaxies on the human scale."""
        return self._interval("interval95_deg")

    @property
    def below95(self) -> Quantity | None:
        """One-sided upper bound, degrees, where the 95 % interval reaches face-on; None elsewhere.

        95 % of galaxies have an inclination below it on the human scale.
        """
        return quantity(self.json["inclination"].get("below95_deg"))

    @property
    def range(self) -> Quantity:
        """Lowest and highest inclination of a network, degrees."""
        return self._interval("range_deg")

    def _interval(self, name: str) -> Quantity:
        interval = self.json["inclination"][name]
        return quantity([interval["low"], interval["high"]])

    @property
    def flavors(self) -> dict[str, Quantity]:
        """Inclination from each network of the ensemble, degrees, by the network's name."""
        return {one["name"]: quantity(one["inclination_deg"]) for one in self.json["flavors"]}

    @property
    def rejection(self) -> float | None:
        """Likelihood that a person would reject the image, 0 to 1; None where no rejector answered."""
        return self._rejection("median")

    @property
    def rejection_face_on(self) -> float | None:
        """The part of :attr:`rejection` for a galaxy below 45 deg, too face-on for the Tully-Fisher relation.

        The inclination of such a galaxy is measured nevertheless.
        """
        return self._rejection("face_on")

    @property
    def rejection_unsuitable(self) -> float | None:
        """The part of :attr:`rejection` for an image that is disturbed, crowded, poor or not a spiral."""
        return self._rejection("unsuitable")

    def _rejection(self, part: str) -> float | None:
        likelihood: float | None = self.json["rejection"].get(part)
        return likelihood

    @property
    def ellipticity(self) -> FittedIsophote | None:
        """The estimate from the axis ratio of the outline; None where no ellipse could be fitted."""
        fit = self.json.get("ellipticity")
        return FittedIsophote(fit) if fit else None

    @property
    def galaxy(self) -> ResolvedGalaxy | None:
        """The galaxy that the target was resolved to; None for an image."""
        galaxy = self.json.get("galaxy")
        return ResolvedGalaxy(galaxy) if galaxy else None

    @property
    def image(self) -> dict[str, Any]:
        """Facts about the measured image, without its pixels: source, format, size, stretch, frame, field of view."""
        return {name: value for name, value in self.json["image"].items() if name not in {"cutout", "model_input"}}

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings in plain words, for readers who need the details."""
        return tuple(self.json["warnings"])

    @property
    def release(self) -> str:
        """The model release that answered."""
        return str(self.json["release"])

    @property
    def picture(self) -> bytes | None:
        """The survey's cutout as an image file, else the networks' input (128x128, PNG); None without pictures."""
        return self._image("cutout") or self._image("model_input")

    def _image(self, name: str) -> bytes | None:
        url = self.json["image"].get(name)
        return base64.b64decode(url.partition(",")[2]) if url else None

    def row(self) -> dict[str, Any]:
        """Return the answer as one flat row, with the column names of the API's own tables."""
        return columns.row(self.json)

    def to_table(self) -> AnswerTable:
        """Return the answer as a table of one row, with units, UCDs in ``info.meta``, and masks.

        Returns
        -------
        AnswerTable
            An :class:`astropy.table.QTable` whose ``broadcast()`` sends it to TOPCAT and similar programs.
            ``meta`` holds ``release``, ``service`` and ``warnings``.
        """
        return tabulate([self])

    def plot(self) -> tuple[Axes, Axes]:
        """Draw the picture with the fitted ellipse, and the networks' inclinations with the intervals, by pyplot.

        Returns
        -------
        tuple of matplotlib.axes.Axes
            Axes of the picture and of the networks; ``[0].figure.savefig(...)`` writes both.

        Raises
        ------
        ModuleNotFoundError
            matplotlib is missing: ``pip install 'inclinet[plot]'``.
        """
        from inclinet.answers.drawing import axes  # an extra

        return axes(self)

    def broadcast(self) -> list[str]:
        """Send the answer as a table to the programs at the SAMP hub, such as TOPCAT and Aladin.

        Returns
        -------
        list of str
            Names of the programs that received the table.

        Raises
        ------
        inclinet.errors.SampError
        """
        from inclinet.samp import broadcast

        return broadcast(self)

    def _repr_html_(self) -> str:
        """Show the answer in a notebook."""
        from inclinet.answers.drawing import html

        return html(self)


def tabulate(answers: Sequence[Answer]) -> AnswerTable:
    """Return the answers of one gateway as a table, one row each; see :meth:`Answer.to_table`."""
    from inclinet.answers.table import table_of

    warnings = [warning for one in answers for warning in one.warnings]
    meta = {"release": answers[0].release, "service": answers[0].service, "warnings": warnings}
    return table_of([one.row() for one in answers], columns.COLUMNS, meta)
