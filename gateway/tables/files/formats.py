"""Recognises the format of a file by its first bytes, and names what it is where it is no table."""

from __future__ import annotations

import re

from gateway.core import errors

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
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|table|div|p|title|h1)\b", re.IGNORECASE)


_IPAC_KINDS = {b"int", b"i", b"long", b"l", b"float", b"f", b"real", b"r", b"double", b"d", b"char", b"c", b"date"}


def format_of(head: bytes) -> str:
    """Recognise a table's format by its first bytes.

    Returns
    -------
    str
        ``csv`` for lines of cells with any separator, ``json``, ``parquet``, else astropy's name of the format.

    Raises
    ------
    errors.BadTable
        The file is something else, which the error names.
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
        if _HTML.match(_without_remarks(text)):
            raise errors.BadTable(f"The file is an HTML page and no table, perhaps an error message: {_READ}.")
        return VOTABLE
    return _layout_of([line.strip() for line in text.splitlines()])


def _without_remarks(text: bytes) -> bytes:
    """Return markup without its leading comments."""
    text = text.lstrip()
    while text.startswith(b"<!--"):
        text = text.partition(b"-->")[2].lstrip()
    return text


def _layout_of(lines: list[bytes]) -> str:
    """Return astropy's name for a layout of text other than lines of cells; empty where it is none."""
    told = [line for line in lines if line]
    first = told[0] if told else b""
    second = told[1] if len(told) > 1 else b""
    if any(line.lower().startswith(b"byte-by-byte description") for line in told):
        return "ascii.mrt"
    if re.match(rb"\\begin *\{", first):
        return "ascii.latex"
    if re.match(rb"# +1 +[A-Z]", first) and re.match(rb"# +\d+ +[A-Z]", second):
        return "ascii.sextractor"
    if first.startswith(b"#K ") or (first.startswith(b"#N ") and second.startswith(b"#U ")):
        return "ascii.daophot"
    if b" " in first and first.strip(b"= ") == b"" and first.startswith(b"="):
        return "ascii.rst"
    rows = [line for line in told if not line.startswith(b"\\")]
    kinds = [cell.strip().lower() for cell in rows[1].strip(b"|").split(b"|")] if len(rows) > 1 else []
    is_ipac = bool(kinds) and rows[0].startswith(b"|") and rows[1].startswith(b"|") and set(kinds) <= _IPAC_KINDS
    return "ascii.ipac" if is_ipac else TEXT
