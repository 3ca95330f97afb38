"""Fakes of the sky's services; each speaks its service's protocol about the same universe."""

from __future__ import annotations

import json
import math
import re
from html import escape
from typing import Any
from urllib.parse import unquote_plus

import numpy as np
from PIL import Image

from tests.support import sky_painter
from tests.support.sky_http import FakeReply, FakeService, Seen
from tests.support.sky_universe import Thing, universe

SIMBAD_COLUMNS = [
    *("main_id", "ra", "dec", "otype", "galdim_majaxis", "galdim_minaxis", "galdim_angle", "galdim_wavelength", "leda")
]
VIZIER_COLUMNS = ["PGC", "RAJ2000", "DEJ2000", "OType", "logD25", "logR25", "PA"]
_CIRCLE = re.compile(r"CIRCLE\('ICRS', ([-\d.]+), ([-\d.]+), ([-\d.]+)\)")


class FakeSesame(FakeService):
    """CDS Sesame: ``/-oxpI/SNV?<name>``.

    Attributes
    ----------
    unreachable : bool
        Whether to answer that its databases could not be asked.
    listed : dict
        Names that VizieR alone has, with its positions (deg).
    """

    unreachable = False

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.listed: dict[str, tuple[float, float]] = {}

    def answer(self, request: Seen) -> FakeReply:
        assert request.path.endswith("/-oxpI/SNV"), request.path
        name = unquote_plus(request.raw_query)
        thing = universe().called(name)
        inside = "<INFO>*** Nothing found ***</INFO>"
        if self.unreachable:
            inside = '<Resolver name="S=Simbad"><ERROR>Could not access the server</ERROR></Resolver>'
        elif name in self.listed:
            ra, dec = self.listed[name]
            catalogue, _, rest = name.partition(" ")
            inside = (
                f'<Resolver name="V=VizieR (local)"><jpos>00:00.0     +00:00</jpos><jradeg>{ra:.2f}</jradeg>'
                f"<jdedeg>{dec:.2f}</jdedeg><oname>{{{escape(catalogue)}}} {escape(rest)}</oname></Resolver>"
            )
        elif thing:
            aliases = "".join(f"<alias>{escape(alias)}</alias>" for alias in _identifiers(thing))
            inside = (
                f'<Resolver name="Sc=Simbad (CDS, via client/server)"><oid>1</oid><otype>{escape(thing.kind)}</otype>'
                f"<jpos>00:00:00 +00:00:00</jpos><jradeg>{thing.ra:.8f}</jradeg><jdedeg>{thing.dec:.8f}</jdedeg>"
                f"<oname>{escape(thing.name)}</oname>{aliases}</Resolver>"
            )
        xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Sesame><Target option="SNV"><name>{escape(name)}</name>'
        return FakeReply(f"{xml}{inside}</Target></Sesame>\n".encode(), "text/plain; charset=UTF-8")


class FakeSimbad(FakeService):
    """SIMBAD's TAP service, for the two queries that the gateway sends."""

    def answer(self, request: Seen) -> FakeReply:
        adql = _adql(request)
        named = re.search(r"i\.id = '((?:[^']|'')*)'", adql)
        circle = _CIRCLE.search(adql)
        if named:
            thing = universe().called(named[1].replace("''", "'"))
            things = [thing] if thing else []
        elif circle:
            kinds = set(re.findall(r"'([^']+)'", adql[adql.index("otype IN") :]))
            things = [one for one in universe().around(*map(float, circle.groups())) if one.kind in kinds]
            assert adql.endswith("ORDER BY apart")
        else:
            return FakeReply(b"<VOTABLE><INFO>ERROR</INFO></VOTABLE>", "text/xml", 400, "Bad Request")
        columns = SIMBAD_COLUMNS if named else [*SIMBAD_COLUMNS, "apart"]
        rows = []
        for one in things:
            minor = one.d25 * one.ratio if one.d25 and one.ratio else None
            leda = f"LEDA {one.pgc:7d}" if one.pgc else None
            band = one.band if one.d25 else ""
            row = [one.name, one.ra, one.dec, one.kind, one.d25, minor, one.pa, band, leda]
            rows.append(row if named else [*row, 0.0])
        return _table(columns, rows)


class FakeNed(FakeService):
    """NED's ObjectLookup. Names in ``ambiguous`` are answered with result code 1."""

    ambiguous: frozenset[str] = frozenset()

    def answer(self, request: Seen) -> FakeReply:
        name = request.query["name"]
        thing = universe().called(name)
        payload: dict[str, Any] = {"NameResolver": "NED-MUNI", "StatusCode": 100, "Supplied": name, "ResultCode": 2}
        if name in self.ambiguous:
            payload["ResultCode"] = 1
        elif thing:
            position = {"RA": thing.ra, "Dec": thing.dec, "UncSemiMajor": 0.5}
            kind = {"G": "G", "PaG": "GPair", "GrG": "GGroup"}.get(thing.kind, "*")
            preferred = {"Name": thing.name, "Position": position, "ObjType": {"Value": kind}}
            payload |= {"ResultCode": 3, "Preferred": preferred}
        return FakeReply(json.dumps(payload).encode(), "application/json")


class FakeHyperLeda(FakeService):
    """HyperLEDA's SQL service, ``fG.cgi``."""

    def answer(self, request: Seen) -> FakeReply:
        assert request.query["n"] == "meandata"
        assert request.query["a"] == "csv[|]"
        number = re.fullmatch(r"pgc=(\d+)", request.query["sql"])
        columns = request.query["d"].split(",")
        thing = universe().numbered(int(number[1])) if number else None
        lines = ["# HyperLeda SQL data access service", "#", "|".join(columns)]
        if thing:
            shape = [_log(thing.d25, 10), _log(1 / thing.ratio if thing.ratio else None, 1)]
            kind = {"*": "S", "PaG": "M2", "GrG": "MG"}.get(thing.kind, thing.kind)
            known = [thing.pgc, thing.name.replace(" ", ""), kind, f"{thing.ra / 15:.7f}", f"{thing.dec:.5f}"]
            cells = [*known, *shape, "" if thing.pa is None else thing.pa]
            lines.append("|".join(str(cell) for cell in cells))
        return FakeReply("\n".join([*lines, "#", ""]).encode(), "text/plain")


class FakeVizier(FakeService):
    """VizieR's TAP service with one catalogue, VII/237.

    Attributes
    ----------
    newest : int
        Largest PGC number of the catalogue of 2003.
    sexagesimal : bool
        Whether positions are written as hours and degrees.
    most_rows : int
        Most rows of a page, whatever the request.
    """

    newest = 1_000_000
    most_rows = 1_000_000
    sexagesimal = False

    def answer(self, request: Seen) -> FakeReply:
        adql = _adql(request)
        assert '"VII/237/pgc"' in adql
        number, circle = re.search(r"PGC = (\d+)", adql), _CIRCLE.search(adql)
        above = re.search(r"PGC > (\d+)", adql)
        if number:
            thing = universe().numbered(int(number[1]))
            things = [thing] if thing else []
        elif circle:
            things = universe().around(*(float(part) for part in circle.groups()))
        else:
            least = re.search(r"logD25 >= ([\d.]+)", adql)
            things = (
                [one for one in universe().things if one.d25 and math.log10(one.d25 * 10) >= float(least[1])]
                if least
                else []
            )
        things = [one for one in things if 0 < one.pgc <= self.newest and one.kind in {"G", "PaG", "GrG"}]
        if above:
            assert request.query["maxrec"].isdigit()
            top = re.search(r"TOP (\d+)", adql)
            things = sorted((one for one in things if one.pgc > int(above[1])), key=lambda one: one.pgc)
            things = things[: min(int(top[1]), self.most_rows)] if top else things
        rows = [self._row(one) for one in things]
        return _table(VIZIER_COLUMNS, rows)

    def _row(self, one: Thing) -> list[object]:
        position: list[object] = [one.ra, one.dec]
        if self.sexagesimal:
            position = [_colons(one.ra / 15, ""), _colons(one.dec, "+")]
        shape = [_log(one.d25, 10) or 9.99, _log(1 / one.ratio if one.ratio else None, 1) or 9.99]
        kind = "G" if one.kind == "G" else "M"
        return [one.pgc, *position, kind, *shape, 999.0 if one.pa is None else one.pa]


class FakeSkyServer(FakeService):
    """SkyServer's ImgCutout.

    Attributes
    ----------
    old_style : bool
        Whether the black picture outside the footprint has status 200, as in older releases.
    reason : str
        Reason phrase outside the footprint.
    picture : str
        Content of pictures: ``sky``, or a fault: ``black``, ``blank``, ``saturated``, ``edge``.
    side : int or None
        Side of the picture, whatever the request.
    canned : bool
        Whether to show the same galaxy everywhere, so that painting does not slow a measurement down.
    """

    old_style = False
    reason = "NOT FOUND. Requested (ra, dec) is outside the SDSS footprint."
    picture = "sky"
    side: int | None = None
    canned = False

    def answer(self, request: Seen) -> FakeReply:
        assert re.fullmatch(r"/dr\d+/SkyServerWS/ImgCutout/getjpeg", request.path), request.path
        query = {key: float(request.query[key]) for key in ("ra", "dec", "scale", "width", "height")}
        assert 64 <= query["width"] == query["height"] <= 2048
        assert 0.015 <= query["scale"] <= 2400
        side = int(query["width"])
        if self.canned:
            return FakeReply(sky_painter.canned(side), "image/jpeg")
        if not sdss_has(query["ra"], query["dec"]):
            if self.old_style:
                return FakeReply(sky_painter.jpeg(sky_painter.outside(side)), "image/jpeg")
            black = sky_painter.jpeg(sky_painter.outside(side))
            return FakeReply(black, "image/jpeg", 404, self.reason)
        image = sky_painter.paint(query["ra"], query["dec"], query["scale"] * side / 60, self.side or side)
        return FakeReply(sky_painter.jpeg(troubled(image, self.picture)), "image/jpeg")


class FakeHips2fits(FakeService):
    """CDS hips2fits, jpg only."""

    picture = "sky"

    def answer(self, request: Seen) -> FakeReply:
        query = request.query
        assert query["format"] == "jpg"
        assert query["projection"] == "TAN"
        side = int(query["width"])
        assert side * int(query["height"]) <= 50_000_000
        ra, dec = float(query["ra"]), float(query["dec"])
        if (query["hips"] == "CDS/P/SDSS9/color" and not sdss_has(ra, dec)) or (
            "PanSTARRS" in query["hips"] and dec < -30
        ):
            return FakeReply(sky_painter.jpeg(Image.new("RGB", (side, side))), "image/jpeg")
        image = sky_painter.paint(ra, dec, float(query["fov"]) * 60, side)
        return FakeReply(sky_painter.jpeg(troubled(image, self.picture)), "image/jpeg")


def sdss_has(ra: float, dec: float) -> bool:
    """Return whether a position is in a footprint like SDSS's: the northern galactic cap, and southern stripes."""
    north = 110 <= ra <= 265 and -4 <= dec <= 69
    south = (ra >= 320 or ra <= 62) and -11 <= dec <= 42
    return north or south


def troubled(image: Image.Image, picture: str) -> Image.Image:
    """Return the image as a survey sends it with a fault."""
    pixels = np.array(image)
    side = len(pixels)
    if picture == "black":
        pixels = pixels // 32 + 4
    elif picture == "blank":
        pixels[:] = 96
    elif picture == "saturated":
        rows, columns = np.ogrid[:side, :side]
        pixels[np.hypot(rows - side / 2, columns - side / 2) < side / 3] = 255
    elif picture == "edge":
        rows, columns = np.ogrid[:side, :side]
        pixels[columns + rows / 3 > side * 0.8] = 0
    return Image.fromarray(pixels)


def _identifiers(thing: Thing) -> list[str]:
    return [alias.replace("PGC ", "LEDA ") for alias in thing.aliases]


def _adql(request: Seen) -> str:
    assert request.query["request"] == "doQuery"
    assert request.query["format"] == "json"
    return request.query["query"]


def _table(columns: list[str], rows: list[list[Any]]) -> FakeReply:
    table = {"metadata": [{"name": name, "datatype": "double"} for name in columns], "data": rows}
    return FakeReply(json.dumps(table).encode(), "application/json")


def _log(value: float | None, factor: float) -> object:
    return "" if not value else round(math.log10(value * factor), 4)


def _colons(value: float, plus: str) -> str:
    seconds = round(abs(value) * 3600, 2)
    sign = "-" if value < 0 else plus
    return f"{sign}{int(seconds // 3600):02d} {int(seconds % 3600 // 60):02d} {seconds % 60:05.2f}"
