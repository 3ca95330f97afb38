"""Samples of FITS images: how they lie in a file, and the physical values that they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
"""By BITPIX."""
_EXACT_BYTES = 2
"""Whole numbers of so many bytes are exact in float32."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """What makes physical values of samples: BSCALE, BZERO, and the BLANK of whole numbers."""

    scale: float
    zero: float
    blank: int | None

    @classmethod
    def of(cls, header: Any, bitpix: int) -> Scaling:
        """Return that of an image."""
        blank = next((header[key] for key in ("ZBLANK", "BLANK") if bitpix > 0 and key in header), None)
        scale, zero = float(header.get("BSCALE", 1)), float(header.get("BZERO", 0))
        return cls(scale, zero, blank if isinstance(blank, int) else None)

    def applied(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Return physical values, float32 or, where the samples need it, float64; NaN where they are BLANK."""
        exact = samples.dtype.itemsize <= _EXACT_BYTES or samples.dtype.str.endswith("f4")
        values: NDArray[Any] = samples.astype(np.float32 if exact else np.float64)
        if self.blank is not None:
            values[samples == self.blank] = np.nan
        if (self.scale, self.zero) != (1.0, 0.0):
            values = values * self.scale + self.zero
        return values
