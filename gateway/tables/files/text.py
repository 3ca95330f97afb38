"""Encoding and lines of a text that comes as bytes."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, TextIO

from gateway.core import errors

if TYPE_CHECKING:
    from gateway.tables.data import Data

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 1 << 20
_HEAD = 1024
_CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 0, 26, 27})
WESTERN = "cp1252"
"""Encoding of text that is not UTF-8: Windows' and, as far as they agree, Latin-1."""


def encoding_of(data: Data) -> str:
    """Return the encoding of text.

    Raises
    ------
    errors.BadTable
        The content is not text: it is binary, or damaged.
    """
    with data.open() as file:
        head = file.read(_HEAD)
        for mark, encoding in _BOMS:
            if head.startswith(mark):
                return _checked(data, encoding)
        # in UTF-16, every second byte of ASCII letters is zero
        even, odd = head[::2].count(0), head[1::2].count(0)
        if len(head) > 3 and max(even, odd) > len(head) // 4 and min(even, odd) <= len(head) // 50:
            return _checked(data, "utf-16-le" if odd > even else "utf-16-be")
        decoder = codecs.getincrementaldecoder("utf-8")()
        chunk, plain, printable = head, True, True
        while chunk:
            printable = printable and chunk.translate(None, _CONTROLS) == chunk
            if not plain and not printable:
                raise errors.BadTable("The table is neither text in UTF-8 nor VOTable, FITS or Parquet.")
            if plain:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    plain = False
                    continue
            chunk = file.read(_CHUNK)
        return "utf-8" if plain else WESTERN


def _checked(data: Data, encoding: str) -> str:
    try:
        with data.open() as file, io.TextIOWrapper(file, encoding) as text:
            while text.read(_CHUNK):
                pass
    except UnicodeError:
        raise errors.BadTable(f"The table says that it is text in {encoding.upper()} and is not.") from None
    return encoding


def lines(data: Data, encoding: str) -> TextIO:
    """Open text whose lines end with a line feed, a carriage return or both."""
    errors_ = "replace" if encoding == WESTERN else "strict"
    return io.TextIOWrapper(data.open(), encoding, errors=errors_, newline="")
