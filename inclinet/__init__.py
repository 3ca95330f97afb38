"""The spatial inclination of spiral galaxies: a client of the inclinet service.

>>> from inclinet import Inclinet
>>> Inclinet().query_object("NGC 7331").inclination
<Quantity 70.1 deg>
"""

from inclinet import errors, samp
from inclinet.answers.answer import Answer
from inclinet.client import AsyncInclinet, Inclinet
from inclinet.errors import InclinetError

__version__ = "1.0.0"

__all__ = ["Answer", "AsyncInclinet", "Inclinet", "InclinetError", "errors", "samp"]
