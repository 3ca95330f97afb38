"""Formats the numbers of an answer for people, rounded to their precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE_FROM_DEG = 2.0
"""Half width of the 68 % interval from which tenths of a degree have no meaning."""
LIKELY = 0.5


def decimals(inclination: Mapping[str, Any]) -> int:
    """Return the number of decimals, 0 or 1, for an inclination and its intervals.

    Parameters
    ----------
    inclination : mapping
        ``inclination`` of an answer's JSON.
    """
    interval = inclination["interval68_deg"]
    return 0 if (interval["high"] - interval["low"]) / 2 >= WHOLE_FROM_DEG else 1


def median(inclination: Mapping[str, Any], unit: str = " deg") -> str:
    """Return the median as text, such as ``68 deg``."""
    return f"{inclination['median_deg']:.{decimals(inclination)}f}{unit}"


def interval(inclination: Mapping[str, Any], level: int, between: str = " … ") -> str:
    """Return the limits of the interval for ``level`` %, such as ``66 … 70``."""
    digits, ends = decimals(inclination), inclination[f"interval{level}_deg"]
    return f"{ends['low']:.{digits}f}{between}{ends['high']:.{digits}f}"


def below(inclination: Mapping[str, Any], unit: str = " deg") -> str:
    """Return the one-sided bound for 95 %, such as ``below 25 deg``; empty where there is none."""
    bound = inclination.get("below95_deg")
    return "" if bound is None else f"below {bound:.{decimals(inclination)}f}{unit}"


def rejection(likelihoods: Mapping[str, Any]) -> str:
    """Return the likelihoods, such as ``0.83: too face-on 0.80, unsuitable 0.03``; empty where no rejector answered."""
    if likelihoods["median"] is None:
        return ""
    named = (("too face-on", "face_on"), ("unsuitable", "unsuitable"))
    parts = [f"{name} {likelihoods[key]:.2f}" for name, key in named if likelihoods.get(key) is not None]
    return ": ".join(filter(None, (f"{likelihoods['median']:.2f}", ", ".join(parts))))


def reason(likelihoods: Mapping[str, Any]) -> str:
    """Return the likelier reason of a probable rejection, ``face-on`` or ``unsuitable``; empty if it is improbable."""
    if (likelihoods["median"] or 0.0) < LIKELY or likelihoods.get("face_on") is None:
        return ""
    return "face-on" if likelihoods["face_on"] > likelihoods["unsuitable"] else "unsuitable"
