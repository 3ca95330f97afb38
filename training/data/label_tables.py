"""Reads the tables from which labels are made, in the format of the Extragalactic Distance Database (EDD).

Both kinds are text: a line of names, then one line per row, with cells separated by ``|`` and padded with blanks
(commas and tabs are accepted too). The case of names does not matter.

*Measurements* of the Galaxy Inclination Zoo have one row for each judgement of a galaxy by a person: ``pgcID``, ``inc``
(deg; 0 where it was rejected), ``flag`` (1 for rejected), the concerns ``not_sure better_image bad_TF ambiguous
disturbed HI face_on not_spiral multiple`` (0 or 1 each), and ``email``, which distinguishes people and is never stored.

*Final inclinations* of Cosmicflows-4 have one row per galaxy: ``pgc``, ``inc`` (deg), ``inc_e``, ``inc_flg`` (above 0
for rejected), ``inc_n`` (measurements), ``inc_note`` (the concerns, such as ``[face_on]``), and facts about the galaxy:
``ra``, ``dec`` (deg, J2000), ``d25`` (arcmin), ``b_a``, ``pa`` (deg), ``ty`` (Hubble stage).

The exports of ``zoo`` are of these kinds too, as text or VOTable, with columns of their own: ``galaxy`` names a galaxy
without a PGC number, ``file`` is its picture, ``least_inc`` the smallest inclination of the standards, ``counted`` is 0
where a row does not count, ``inc_scatter`` is the scatter between people.

Both are described in Kourkchi et al. 2020, ApJ 902, 145, section 2.3, and shown by the notebooks of
https://github.com/ekourkchi/inclinet_project (``data_extraction``).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from training.data import table_text
from training.data.dataset import TableFault, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["measurements", "final"]

FACE_ON, UNSUITABLE, ELSEWHERE, UNKNOWN = "face_on", "unsuitable", "elsewhere", "rejected"
"""Reasons of a rejection; ``elsewhere`` means that the picture does not show the reason, such as a radio spectrum."""

LEAST_DEG, MOST_DEG = 45.0, 90.0
"""Range of the standards without ``least_inc``, degrees: people rejected galaxies below it as face-on."""

_PICTURE = frozenset(
    {"not_sure", "better_image", "ambiguous", "disturbed", "not_spiral", "multiple", "bad_tf", UNSUITABLE}
)
_SPECTRUM = "hi"
_CONCERNS = (*sorted(_PICTURE), _SPECTRUM, FACE_ON)

_GALAXY = ("pgcid", "pgc")
_NAME, _LEAST, _COUNTED = "galaxy", "least_inc", "counted"
_INCLINATION = ("inc", "inclination")
_PERSON = ("email", "measurer", "person")
_FLAG = ("flag", "inc_flg")
_NOTE = ("inc_note", "note")
_PREFIX = re.compile(r"^(?:pgc|leda)\s*")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One judgement of one galaxy by one person.

    Attributes
    ----------
    pgc : int
        PGC number, or :func:`training.data.dataset.number_of` the name of a galaxy without one.
    person : str
        Identifier that distinguishes people.
    inclination_deg : float
        NaN where the galaxy was rejected.
    reject : str
        Reason of the rejection; empty where the galaxy was measured.
    """

    pgc: int
    person: str
    inclination_deg: float
    reject: str


@dataclass(frozen=True, slots=True)
class PublishedInclination:
    """The final result for one galaxy in a published table.

    Attributes
    ----------
    pgc : int
    inclination_deg, scatter_deg : float
        NaN where unknown or rejected.
    reject : str
        Reason of the rejection; empty where the galaxy was measured.
    people : int or None
        Number of people who measured it.
    """

    pgc: int
    inclination_deg: float
    scatter_deg: float
    reject: str
    people: int | None


@dataclass(frozen=True, slots=True)
class CatalogueFacts:
    """A catalogue's facts about a galaxy; NaN where unknown."""

    ra_deg: float = math.nan
    dec_deg: float = math.nan
    d25_arcmin: float = math.nan
    axis_ratio: float = math.nan
    position_angle_deg: float = math.nan
    stage: float = math.nan


@dataclass(frozen=True, slots=True)
class LabelTable:
    """The content of a table.

    Attributes
    ----------
    kind : str
    measurements, finals : tuple
        Rows of the table's kind; the other one is empty.
    facts : dict of Facts
        Facts by PGC number.
    names, files : dict of str
        Names of the galaxies and of their pictures, by the same number.
    skipped : int
        Lines without a galaxy's number or name, with an invalid inclination, or that do not count.
    """

    kind: Kind
    measurements: tuple[Measurement, ...]
    finals: tuple[PublishedInclination, ...]
    facts: dict[int, CatalogueFacts]
    names: dict[int, str]
    files: dict[int, str]
    skipped: int


def parse(text: str, name: str) -> LabelTable:
    """Read a table; its columns decide the kind.

    Parameters
    ----------
    text : str
        The whole table.
    name : str
        Name of the table, for errors.

    Raises
    ------
    TableFault
        The table is of neither kind.
    """
    columns, rows = table_text.rows(text, name)
    galaxy, inclination = _first(columns, (*_GALAXY, _NAME)), _first(columns, _INCLINATION)
    if galaxy is None or inclination is None:
        has = ", ".join(columns[:8]) or "nothing"
        raise TableFault(f"{name} has no columns of PGC numbers and inclinations (pgc or pgcID, inc); it has: {has}.")
    person, flag = _first(columns, _PERSON), _first(columns, _FLAG)
    if person is None and flag is None:
        raise TableFault(f"{name} tells neither who measured (email) nor what was rejected (flag, inc_flg).")
    measurements: list[Measurement] = []
    finals: list[PublishedInclination] = []
    facts: dict[int, CatalogueFacts] = {}
    names: dict[int, str] = {}
    files: dict[int, str] = {}
    skipped = 0
    for row in rows:
        pgc = _galaxy(row, galaxy)
        if pgc == 0 or _number(row.get(_COUNTED, "")) == 0:
            skipped += 1
            continue
        judged = _judged(row, inclination, flag)
        if judged is None:
            skipped += 1
        elif person is not None:
            measurements.append(Measurement(pgc, row.get(person, "").lower(), *judged))
        else:
            people = _number(row.get("inc_n", ""))
            scatter = _number(row.get("inc_scatter", row.get("inc_e", "")))
            finals.append(
                PublishedInclination(pgc, judged[0], scatter, judged[1], None if math.isnan(people) else int(people))
            )
        facts[pgc] = _facts(row)
        names[pgc] = row.get(_NAME, "")
        files[pgc] = row.get("file", "")
    if not measurements and not finals:
        raise TableFault(f"{name} has no row with a galaxy's number and an inclination.")
    kind: Kind = "final" if person is None else "measurements"
    return LabelTable(kind, tuple(measurements), tuple(finals), facts, names, files, skipped)


def parse_facts(text: str, name: str) -> dict[int, CatalogueFacts]:
    """Read a table's facts about galaxies, ignoring other columns; HyperLEDA's names of columns are known too.

    Raises
    ------
    TableFault
        The table has no PGC numbers.
    """
    columns, rows = table_text.rows(text, name)
    galaxy = _first(columns, (*_GALAXY, "name"))
    if galaxy is None:
        raise TableFault(f"{name} has no column of PGC numbers (pgc); it has: {', '.join(columns[:8]) or 'nothing'}.")
    numbered = ((_PREFIX.sub("", row.get(galaxy, "").lower()), row) for row in rows)
    return {int(number): _facts(row) for number, row in numbered if number.isdigit()}


def _galaxy(row: dict[str, str], column: str) -> int:
    """Return the number of a row's galaxy; 0 where it has none."""
    number = row.get(column, "")
    if column != _NAME and number.isdigit() and int(number) > 0:
        return int(number)
    name = row.get(_NAME, "")
    return number_of(name) if name else 0


def _first(columns: Sequence[str], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in columns), None)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _judged(row: dict[str, str], inclination: str, flag: str | None) -> tuple[float, str] | None:
    """Return inclination and reason of a row; None where neither can be read."""
    flagged = _number(row.get(flag, "")) if flag else 0.0
    if flagged > 0:
        return math.nan, _reason(row)
    value = _number(row.get(inclination, ""))
    least = _number(row.get(_LEAST, ""))
    # 0 is an inclination where the standards begin at 0; elsewhere it means "none"
    if not (0 < value <= MOST_DEG or value == least == 0):
        return None
    return (math.nan, FACE_ON) if value < (LEAST_DEG if math.isnan(least) else least) else (value, "")


def _reason(row: dict[str, str]) -> str:
    concerns = {name for name in _CONCERNS if _number(row.get(name, "")) > 0}
    note = next((row[name] for name in _NOTE if row.get(name)), "")
    concerns |= set(re.findall(r"\[(\w+)\]", note.lower())) & set(_CONCERNS)
    if FACE_ON in concerns:
        return FACE_ON
    if concerns & (_PICTURE - {"bad_tf"}):
        return UNSUITABLE
    # "no good for the Tully-Fisher relation" accompanies every other concern; alone, it is about the picture
    if _SPECTRUM in concerns:
        return ELSEWHERE
    return UNSUITABLE if concerns else UNKNOWN


def _facts(row: dict[str, str]) -> CatalogueFacts:
    def number(*names: str) -> float:
        return next((value for name in names if not math.isnan(value := _number(row.get(name, "")))), math.nan)

    d25, ratio = number("d25", "diameter"), number("b_a", "axis_ratio")
    if math.isnan(ratio) and d25 > 0:
        ratio = number("minordiameter") / d25
    return CatalogueFacts(
        number("ra", "raj2000"),
        number("dec", "dej2000"),
        d25 if d25 > 0 else math.nan,
        ratio if 0 < ratio <= 1 else math.nan,
        number("pa", "anglepa"),
        number("ty", "ttype"),
    )
