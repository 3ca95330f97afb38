"""What the words of a command line mean. Each function raises BatchError for those that mean nothing."""

from __future__ import annotations

from batch.errors import BatchError
from batch.fetching.rates import RATES_PER_S
from gateway.core import errors
from gateway.sky import SURVEYS
from gateway.tables.header.columns import choice_of


def columns(given: list[str]) -> dict[str, str]:
    """Read ``ROLE=NAME`` of each column that a person names."""
    try:
        return choice_of(given)
    except errors.BadTable as error:
        raise BatchError(f"--column {error.detail}") from None


def check_survey(survey: str | None) -> None:
    """Refuse a survey that there is none of."""
    if survey is not None and survey not in SURVEYS:
        raise BatchError(f"There is no survey {survey!r}; there are {', '.join(SURVEYS)}.")


def addresses(given: list[str]) -> tuple[str, ...]:
    """Read ``HOST:PORT`` of each server; one word may name several, with commas between."""
    found = tuple(one.strip() for several in given for one in several.split(",") if one.strip())
    for address in found:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise BatchError(f"--serving {address} is not HOST:PORT.")
    return found


def rates(given: list[str]) -> dict[str, float]:
    """Read ``SERVICE=N`` of each rate that a person gives."""
    known, found = {name.lower(): name for name in RATES_PER_S}, dict[str, float]()
    for one in given:
        name, _, number = one.partition("=")
        try:
            found[known[name.lower()]] = max(0.0, float(number))
        except (KeyError, ValueError):
            raise BatchError(f"--rate {one} is not SERVICE=N with one of {', '.join(RATES_PER_S)}.") from None
    return found
