"""The header ``Retry-After`` (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime


def write(seconds: float) -> str:
    """Return the header's value for a wait of ``seconds``, rounded up."""
    return str(math.ceil(seconds))


def read(value: str, now: float) -> float | None:
    """Return the seconds of wait that a header requests.

    Parameters
    ----------
    value : str
        Seconds or an HTTP date.
    now : float
        Seconds since the epoch.

    Returns
    -------
    float or None
        Seconds from now, not negative; None for an invalid value.
    """
    if value.strip().isdecimal():
        return float(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    # a date without a zone is in GMT, as all dates in HTTP are
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
