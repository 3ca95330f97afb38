"""Reads options of the command line. Each function raises BatchError for values without a meaning."""

from __future__ import annotations

from batch.errors import BatchError
from batch.fetching.rates import RATES_PER_S
from gateway.core import errors
from gateway.sky import SURVEYS
from gateway.tables.header.columns import choice_of


def columns(given: list[str]) -> dict[str, str]:
    """Return the columns in ``ROLE=NAME`` texts."""
    try:
        return choice_of(given)
    except errors.BadTable as error:
        raise BatchError(f"--column {error.detail}") from None


def check_survey(survey: str | None) -> None:
    """Raise an error for a survey that does not exist."""
    if survey is not None and survey not in SURVEYS:
        raise BatchError(f"There is no survey {survey!r}; there are {', '.join(SURVEYS)}.")


def addresses(given: list[str]) -> tuple[str, ...]:
    """Return the ``HOST:PORT`` of each server; one text may hold several, separated by commas."""
    found = tuple(one.strip() for several in given for one in several.split(",") if one.strip())
    for address in found:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise BatchError(f"--serving {address} is not HOST:PORT.")
    return found


def rates(given: list[str]) -> dict[str, float]:
    """Return the rates in ``SERVICE=N`` texts."""
    known, found = {name.lower(): name for name in RATES_PER_S}, dict[str, float]()
    for one in given:
        name, _, number = one.partition("=")
        try:
            found[known[name.lower()]] = max(0.0, float(number))
        except (KeyError, ValueError):
            raise BatchError(f"--rate {one} is not SERVICE=N with one of {', '.join(RATES_PER_S)}.") from None
    return found
