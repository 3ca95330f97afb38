"""The header ``Retry-After`` (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import math
from email.utils import parsedate_to_datetime


def write(seconds: float) -> str:
    """Return the header's value for a wait of ``seconds``, which are rounded up to whole ones."""
    return str(math.ceil(seconds))


def read(value: str, now: float) -> float | None:
    """Return the seconds that a header asks to wait.

    Parameters
    ----------
    value : str
        Seconds or an HTTP date.
    now : float
        Seconds since the epoch.

    Returns
    -------
    float or None
        Seconds from now, not negative; None where the value is neither.
    """
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now)
    except ValueError:
        return None
