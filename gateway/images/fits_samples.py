"""Samples of FITS images: their types in a file, and the physical values that they represent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
"""Numpy's types of samples by BITPIX."""
_EXACT_BYTES = 2
"""Integers of up to this many bytes are exact in float32."""


_MAGNITUDE = 2.5 / math.log(10)


@dataclass(frozen=True, slots=True)
class Softening:
    """Pan-STARRS' encoding of the light of its stacks as asinh (Waters et al. 2020, ApJS 251, 4).

    Attributes
    ----------
    offset, scale : float
        Values of BOFFSET and BSOFTEN.
    exposure_s : float
        Value of EXPTIME: the zero point of a stack is 25 + 2.5 lg EXPTIME, so bands agree in the light of a second.
    """

    offset: float
    scale: float
    exposure_s: float

    @classmethod
    def of(cls, header: Any) -> Softening | None:
        """Return the encoding of an image; None for an image that holds the light itself."""
        if "BSOFTEN" not in header:
            return None
        exposure = float(header.get("EXPTIME", 1))
        return cls(float(header.get("BOFFSET", 0)), float(header["BSOFTEN"]), exposure if exposure > 0 else 1.0)

    def light(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the light of one second, float64; infinite where it overflows."""
        with np.errstate(over="ignore"):
            light: NDArray[Any] = 2 * self.scale * np.sinh(values.astype(np.float64) / _MAGNITUDE) + self.offset
        return light / self.exposure_s


def _number(header: Any, key: str, otherwise: float) -> float:
    """Return a number of a header; a keyword without a value says nothing."""
    value = header.get(key, otherwise)
    return otherwise if value is None else float(value)


@dataclass(frozen=True, slots=True)
class Scaling:
    """Conversion of samples to physical values: BSCALE, BZERO, the BLANK of integers, and Pan-STARRS' softening."""

    scale: float
    zero: float
    blank: int | None
    softening: Softening | None = None

    @classmethod
    def of(cls, header: Any, bitpix: int) -> Scaling:
        """Return the conversion of an image."""
        blank = next((header[key] for key in ("ZBLANK", "BLANK") if bitpix > 0 and key in header), None)
        scale, zero = _number(header, "BSCALE", 1.0), _number(header, "BZERO", 0.0)
        return cls(scale, zero, blank if isinstance(blank, int) else None, Softening.of(header))

    def _is_unsigned(self, samples: NDArray[Any]) -> bool:
        """Whether samples are whole numbers of 64 bits without a sign (FITS 4.0, section 5.2.5)."""
        return samples.dtype.str.endswith("i8") and (self.scale, self.zero) == (1.0, 2.0**63) and self.blank is None

    def applied(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Return physical values, float32 or, where the samples need it, float64; NaN where they are BLANK."""
        exact = samples.dtype.itemsize <= _EXACT_BYTES or samples.dtype.str.endswith("f4")
        values: NDArray[Any] = samples.astype(np.float32 if exact else np.float64)
        if self._is_unsigned(samples):
            # a sum of floats would lose eleven of its digits
            return (samples.astype(np.int64).view(np.uint64) ^ np.uint64(1 << 63)).astype(np.float64)
        if self.blank is not None:
            values[samples == self.blank] = np.nan
        if (self.scale, self.zero) != (1.0, 0.0):
            values = values * self.scale + self.zero
        return values if self.softening is None else self.softening.light(values)
