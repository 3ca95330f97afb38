"""Recognise what a file is by its first bytes, and say what it is where it is no table that is read."""

from __future__ import annotations

import re

from gateway import errors

HEAD_BYTES = 4096

PARQUET, FITS, VOTABLE, TEXT, JSON = "parquet", "fits", "votable", "csv", "json"
ECSV = "ascii.ecsv"

_READ = "send CSV, ECSV, VOTable, FITS or Parquet"
_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", f"a ZIP archive or a spreadsheet (Excel, OpenDocument): save the sheet as CSV, or {_READ}"),
    (b"\xd0\xcf\x11\xe0", "an old Excel sheet: save it as CSV"),
    (b"%PDF", f"a PDF document: {_READ}"),
    (b"\x89HDF", f"an HDF5 file: {_READ}"),
    (b"ARROW1", f"an Arrow (Feather) file: save it as Parquet, or {_READ}"),
    (b"\x93NUMPY", f"a NumPy array: {_READ}"),
    (b"SQLite format 3", f"an SQLite database: export the table, and {_READ}"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard: unpack it, or use gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
    (b"Rar!", "a RAR archive: unpack it"),
    (b"\xff\xd8\xff", "a JPEG picture and no table: send pictures in the field file"),
    (b"\x89PNG", "a PNG picture and no table: send pictures in the field file"),
    (b"GIF8", "a GIF picture and no table: send pictures in the field file"),
    (b"II*\0", "a TIFF picture and no table: send pictures in the field file"),
    (b"MM\0*", "a TIFF picture and no table: send pictures in the field file"),
    (b"{\\rtf", f"a rich text document: {_READ}"),
    (b"\x80\x04", f"a Python pickle, which is never read from strangers: {_READ}"),
    (b"root\0", f"a ROOT file: {_READ}"),
)
_ASTROPY: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"\s*\\begin\s*\{"), "ascii.latex"),
    (re.compile(rb"(?:.*\r?\n)*Byte-by-byte Description", re.IGNORECASE), "ascii.mrt"),
    (re.compile(rb"#\s+1\s+[A-Z][A-Z0-9_]*\s.*\r?\n#\s+\d+\s+[A-Z]"), "ascii.sextractor"),
    (re.compile(rb"#K\s|(?:#.*\r?\n)*#N\s+\S+.*\r?\n#U\s"), "ascii.daophot"),
    (re.compile(rb"\s*=+(?: +=+)+\s*\r?\n"), "ascii.rst"),
    (re.compile(rb"(?:\\.*\r?\n)*\|[^\n]*\|\s*\r?\n\|[ a-zA-Z|]*\|\s*\r?\n[ |]"), "ascii.ipac"),
)
"""Text of other layouts than lines of cells, and what astropy's reader of each is called."""
_XML = re.compile(rb"\s*<(?:\?xml|!--|!DOCTYPE\s+VOTABLE|(?:\w+:)?VOTABLE)", re.IGNORECASE)
_HTML = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|div|p|title|h1)\b", re.IGNORECASE | re.DOTALL
)


def format_of(head: bytes) -> str:
    """Recognise a table's format by its first bytes.

    Returns
    -------
    str
        ``csv`` for lines of cells of any kind, ``json``, ``parquet``, else what astropy calls it.

    Raises
    ------
    errors.BadTable
        It is something else, which the sentence names.
    """
    if head.startswith(b"PAR1"):
        return PARQUET
    if head.startswith(b"SIMPLE  ="):
        return FITS
    for magic, what in _REFUSED:
        if head.startswith(magic):
            raise errors.BadTable(f"The file is {what}.")
    text = head.removeprefix(b"\xef\xbb\xbf")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", "ignore").encode()
    if text.startswith(b"# %ECSV"):
        return ECSV
    begins = text.lstrip()[:1]
    if begins in {b"[", b"{"}:
        return JSON
    if begins == b"<":
        if _HTML.match(text):
            raise errors.BadTable(f"The file is an HTML page and no table, perhaps an error message: {_READ}.")
        return VOTABLE
    return next((name for pattern, name in _ASTROPY if pattern.match(text)), TEXT)
