"""The use of each column of a table, as a value that can be shown, stored and restored."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.tables.header.units import OWN_UNIT, Conversion
from gateway.tables.header.words import FILE, KEY, NAME, PGC

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Use:
    """The use of a column.

    Attributes
    ----------
    role : str
        Meaning of the column: one of :data:`gateway.tables.header.columns.ROLES_AND_SIZES`.
    columns : tuple of str
        Name of the column, or of the parts of a split coordinate: sign, hours or degrees, minutes, seconds.
    conversion : Conversion
        Conversion of its numbers.
    prefix : str
        Catalogue, such as ``NGC``, where the column has only its numbers.
    """

    role: str
    columns: tuple[str, ...]
    conversion: Conversion = field(default_factory=Conversion)
    prefix: str = ""

    @property
    def how(self) -> str:
        """How its cells are read, in a few words."""
        unit = self.conversion.declared
        if len(self.columns) > 1:
            return "sexagesimal, in parts"
        if self.prefix:
            return f"a number is one of {self.prefix}"
        if self.role in OWN_UNIT:
            if math.isnan(self.conversion.factor):
                return "sexagesimal hours" if self.conversion.sexagesimal == "h" else "sexagesimal degrees"
            own = {"deg": "degrees"}.get(OWN_UNIT[self.role], OWN_UNIT[self.role])
            plain = f"from {unit}" if self.conversion.factor != 1 else own
            return f"{plain}, sexagesimal is hours" if self.conversion.sexagesimal == "h" else plain
        return {PGC: "a PGC number", NAME: "a name", KEY: "the row's own key", FILE: "an image"}[self.role]


@dataclass(frozen=True, slots=True)
class Reading:
    """The use of all columns of a table.

    Attributes
    ----------
    uses : dict
        Use by role.
    more_names : tuple of Use
        Columns of catalogue numbers, for rows whose name is empty.
    ignored : tuple of str
        Columns that are not used.
    warnings : tuple of str
        Sentences that a person should read.
    """

    uses: Mapping[str, Use]
    more_names: tuple[Use, ...] = ()
    ignored: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def columns(self) -> frozenset[str]:
        """Names of all columns that are used."""
        return frozenset(name for use in (*self.uses.values(), *self.more_names) for name in use.columns)

    def sentences(self) -> list[str]:
        """Return sentences for people, one per line."""
        said = [f"{role}: {' '.join(use.columns)} ({use.how})" for role, use in self.uses.items()]
        said += [f"{use.role}: {use.columns[0]} ({use.how})" for use in self.more_names]
        return [f"Columns read: {', '.join(said)}.", *self.warnings] if said else list(self.warnings)

    def as_json(self) -> dict[str, Any]:
        """Return the reading as JSON values, for people and programs."""
        return {
            "columns": {
                role: {"column": " ".join(use.columns), "unit": use.conversion.declared or None, "read_as": use.how}
                for role, use in self.uses.items()
            },
            "more_names": [use.columns[0] for use in self.more_names],
            "ignored": list(self.ignored),
            "warnings": list(self.warnings),
        }

    def saved(self) -> dict[str, Any]:
        """Return the reading as JSON values for :meth:`restored`."""
        return {
            "uses": [dataclasses.asdict(use) for use in self.uses.values()],
            "more_names": [dataclasses.asdict(use) for use in self.more_names],
            "warnings": list(self.warnings),
        }

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> Reading:
        """Return the reading that was saved; the ignored columns are not stored."""

        def use(said: dict[str, Any]) -> Use:
            return Use(said["role"], tuple(said["columns"]), Conversion(**said["conversion"]), said["prefix"])

        uses = {said["role"]: use(said) for said in saved["uses"]}
        return cls(uses, tuple(map(use, saved["more_names"])), warnings=tuple(saved["warnings"]))
