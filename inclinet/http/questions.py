"""Questions as HTTP requests, and pictures and tables as files."""

from __future__ import annotations

import io
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from astropy.coordinates import SkyCoord

_PICTURES = ("cutout", "model_input")
_PLANES = 3
_COORDINATE = re.compile(r"[+\-\u2212]?\d[\d.:hdms\u00b0'\"e]*")
"""A number of a position, or a whole coordinate in one word."""


@dataclass(frozen=True, slots=True)
class Question:
    """An HTTP request that asks a question.

    Attributes
    ----------
    method, path : str
        HTTP method, and path below the gateway's URL.
    params : dict
        Query parameters; those that are None are left out.
    body : dict
        Body as httpx takes it: ``json`` or ``files``.
    """

    method: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def request(self) -> dict[str, Any]:
        """Arguments of ``httpx.Client.build_request``."""
        params = {name: value for name, value in self.params.items() if value is not None}
        return {"method": self.method, "url": self.path, "params": params, **self.body}

    def showing(self, *, pictures: bool) -> Question:
        """Return the question whose answer includes pictures, or not."""
        return Question(self.method, self.path, self.params | {"include": _PICTURES if pictures else None}, self.body)


def by_pgc(number: int, **params: Any) -> Question:
    """Return the question about a PGC number."""
    return Question("GET", f"/api/pgc/{int(number)}", params)


def by_name(name: str, **params: Any) -> Question:
    """Return the question about a name."""
    return Question("GET", f"/api/objname/{quote(name.strip(), safe='')}", params)


def by_position(coordinates: SkyCoord, **params: Any) -> Question:
    """Return the question about a position in any frame that astropy can convert to ICRS.

    Raises
    ------
    TypeError
        The coordinates are not one position.
    """
    if not getattr(coordinates, "isscalar", False):
        raise TypeError("A position is one SkyCoord. For many positions put them into a table: query_table.")
    place = coordinates.icrs
    return by_text(f"{place.ra.deg:.7f}", f"{place.dec.deg:.7f}", **params)


def by_text(ra: str, dec: str, **params: Any) -> Question:
    """Return the question about a position as text: degrees, or sexagesimal with the right ascension in hours."""
    return Question("GET", "/api/coordinates", {"ra": ra, "dec": dec, **params})


def by_image(image: Any, *, at: Any = None, bands: Sequence[str] | None = None, **params: Any) -> Question:
    """Return the question about an image, in any form of :func:`picture`, or about a galaxy in images of the sky.

    Parameters
    ----------
    image
        Image, or a list of paths, bytes or open files.
    at : SkyCoord or str, optional
        Position of the galaxy, or its name.
    bands : sequence of str, optional
        Bands of the files, in their order.
    **params
        Query parameters.

    Raises
    ------
    TypeError, OSError
        See :func:`picture` and :func:`place`.
    """
    several = isinstance(image, list | tuple) and len(image) > 0 and all(map(_is_file, image))
    files = [("file", picture(one)) for one in (image if several else [image])]
    named = {"bands": ",".join(bands) if bands else None}
    return Question("POST", "/api/file", params | place(at) | named, {"files": files})


def _is_file(image: Any) -> bool:
    named = isinstance(image, str | os.PathLike | bytes | bytearray | memoryview)
    return named or hasattr(image, "read") or (hasattr(image, "writeto") and not hasattr(image, "header"))


def place(at: Any) -> dict[str, Any]:
    """Return the parameters for a SkyCoord, a position as text, or a name; empty for None.

    Raises
    ------
    TypeError
        ``at`` is none of these, or several positions.
    """
    if at is None:
        return {}
    if not isinstance(at, str):
        return by_position(at).params
    words = at.replace(",", " ").split()
    middle = len(words) // 2
    if len(words) % 2 == 0 and all(_COORDINATE.fullmatch(word) for word in words):
        return {"ra": " ".join(words[:middle]), "dec": " ".join(words[middle:])}
    return {"name": at.strip()}


def by_table(table: Any, columns: Mapping[str, str], **params: Any) -> Question:
    """Return the question about each row of a table; ``columns`` gives the column of each role."""
    chosen = {f"column.{role}": name for role, name in columns.items()}
    return Question("POST", "/api/batch", chosen | params, {"files": {"table": table_file(table)}})


def by_many(asked: Sequence[Mapping[str, Any] | bytes], **params: Any) -> Question:
    """Return the question about targets, in the API's JSON, or about images, all of one kind."""
    images = [("file", (str(place), one)) for place, one in enumerate(asked) if isinstance(one, bytes)]
    return Question("POST", "/api/batch", params, {"files": images} if images else {"json": list(asked)})


def in_unit(value: Any, unit: str) -> float | None:
    """Return the number of a Quantity in a unit; None for None.

    Raises
    ------
    TypeError
        The value has no unit.
    astropy.units.UnitConversionError
    """
    if value is None:
        return None
    if not hasattr(value, "to_value"):
        raise TypeError(f"{value!r} has no unit: write it as a Quantity, such as {value!r} * u.{unit}.")
    return float(value.to_value(unit))


def picture(image: Any) -> tuple[str, bytes]:
    """Return the name and the bytes of an image: a path, bytes, an open file, a PIL image, an array, HDUs or bands.

    Raises
    ------
    TypeError
        ``image`` is none of these.
    OSError
        The file can't be read.
    """
    if isinstance(image, bytes | bytearray | memoryview):
        return "image", bytes(image)
    if isinstance(image, str | os.PathLike):
        return Path(image).name, Path(image).read_bytes()
    # recognised by their methods, so that no package is imported for objects of another
    buffer = io.BytesIO()
    if hasattr(image, "writeto") or (isinstance(image, dict | list | tuple) and image):
        _hdus(image).writeto(buffer)
        return "image.fits", buffer.getvalue()
    if hasattr(image, "getbands"):
        image.save(buffer, "PNG")
        return "image.png", buffer.getvalue()
    if hasattr(image, "read"):
        return "image", image.read()
    if hasattr(image, "__array__"):
        return _array(image)
    raise TypeError(
        f"{type(image).__name__} is no image: give a path, bytes, a PIL image, an array, FITS HDUs or bands."
    )


def _hdus(image: Any) -> Any:
    from astropy.io import fits

    if isinstance(image, fits.HDUList | fits.PrimaryHDU):
        return image
    if isinstance(image, dict):
        bands = [fits.ImageHDU(_lowest_first(band), fits.Header({"FILTER": name})) for name, band in image.items()]
        return fits.HDUList([fits.PrimaryHDU(), *bands])
    hdus = image if isinstance(image, list | tuple) else [image]
    if not all(hasattr(hdu, "header") for hdu in hdus):
        raise TypeError(
            "Bands are HDUs, or a dict of arrays by the names of the bands: {'g': ..., 'r': ..., 'i': ...}."
        )
    return fits.HDUList([fits.PrimaryHDU(), *(fits.ImageHDU(hdu.data, hdu.header) for hdu in hdus)])


def _lowest_first(planes: Any) -> Any:
    """Return arrays, given with the uppermost row first, as FITS stores them: lowest row first, no half floats."""
    import numpy as np

    planes = np.asarray(planes)
    return planes[..., ::-1, :].astype(np.float32 if planes.dtype.kind == "f" else planes.dtype)


def _array(image: Any) -> tuple[str, bytes]:
    """Return an array as a file: 8 bits as a finished picture, other types as measured pixels. Uppermost row first."""
    import numpy as np

    pixels = np.asarray(image)
    if pixels.ndim not in {2, _PLANES} or (pixels.ndim == _PLANES and pixels.shape[2] not in {_PLANES, 4}):
        raise TypeError(f"An image is an array [H, W] or [H, W, 3], not one of shape {list(pixels.shape)}.")
    if pixels.dtype == np.uint8:
        try:
            from PIL import Image  # an extra
        except ModuleNotFoundError:
            raise TypeError("An array of 8 bits needs pillow: pip install 'inclinet[plot]'.") from None
        return picture(Image.fromarray(pixels))
    from astropy.io import fits

    planes = pixels if pixels.ndim == 2 else np.moveaxis(pixels[..., :_PLANES], 2, 0)
    return picture(fits.PrimaryHDU(_lowest_first(planes)))


def table_file(table: Any) -> tuple[str, bytes]:
    """Return the name and the bytes of a table: a file as it is, a Table as VOTable, which keeps units and UCDs.

    Raises
    ------
    TypeError
        ``table`` is neither.
    OSError
        The file can't be read.
    """
    if isinstance(table, str | os.PathLike):
        return Path(table).name, Path(table).read_bytes()
    if not hasattr(table, "colnames"):
        raise TypeError(f"{type(table).__name__} is no table: give an astropy Table, or the path of a file.")
    return "table.vot", table_bytes(table)


def table_bytes(table: Any, ending: str = ".vot") -> bytes:
    """Return a table as VOTable, or in the format of a file suffix: ``.fits``, ``.ecsv`` or ``.csv``.

    Positions become two columns in degrees, and objects become text.

    Raises
    ------
    ValueError
        The suffix has no format.
    """
    formats = {".vot": "votable", ".votable": "votable", ".xml": "votable", ".fits": "fits", ".ecsv": "ascii.ecsv"}
    formats |= {".csv": "ascii.csv"}
    if ending.lower() not in formats:
        raise ValueError(f"Nothing is known of tables in {ending or 'a file without an ending'}")
    from astropy.coordinates import SkyCoord
    from astropy.table import Table

    plain = Table(meta={})
    for name in table.colnames:
        column = table[name]
        if isinstance(column, SkyCoord):
            place = column.icrs
            alone = sum(isinstance(table[other], SkyCoord) for other in table.colnames) == 1
            for end, angle in (("ra", place.ra), ("dec", place.dec)):
                plain[end if alone and end not in table.colnames else f"{name}_{end}"] = angle.to("deg")
        else:
            plain[name] = column.astype(str) if column.info.dtype.hasobject else column
    text = formats[ending.lower()].startswith("ascii")
    written = io.StringIO() if text else io.BytesIO()
    plain.write(written, format=formats[ending.lower()])
    said = written.getvalue()
    return said.encode() if isinstance(said, str) else said
