"""Base class and number types that all schemas of the API share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Schema(BaseModel):
    """JSON of the API; made from its fields, or from any object that has attributes of their names."""

    model_config = ConfigDict(frozen=True, from_attributes=True, protected_namespaces=())


def _to(digits: int) -> AfterValidator:
    return AfterValidator(lambda value: round(value, digits))


Tenths = Annotated[float, _to(1)]
Hundredths = Annotated[float, _to(2)]
Thousandths = Annotated[float, _to(3)]
Fraction = Annotated[float, _to(4)]
Coordinate = Annotated[float, _to(6)]
"""Coordinate in degrees, rounded to 1e-6 deg (four thousandths of an arcsec)."""
