"""The header ``Retry-After`` (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import math
from datetime import UTC
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
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    # a date without a zone is one of GMT, as all of HTTP are
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
