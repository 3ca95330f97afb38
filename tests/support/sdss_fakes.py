"""A fake Sloan survey: exposures of a small sky, found by SQL and fetched as frames, over real HTTP."""

from __future__ import annotations

import bz2
import io
import json
import math
import re
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from tests.support.sky_http import FakeReply, FakeService, Seen

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXEL_ARCSEC = 0.396


@dataclass(frozen=True)
class Disc:
    """An exponential disc; degrees, arcsec. ``scale`` is along the major axis, ``peak`` in nanomaggies."""

    ra: float
    dec: float
    pa: float
    ratio: float = 0.4
    scale: float = 4.0
    peak: float = 3.0


@dataclass(frozen=True)
class Star:
    ra: float
    dec: float
    flux: float = 60.0


@dataclass(frozen=True)
class SdssField:
    """An exposure: number, centre and direction in degrees, size in pixels."""

    run: int
    camcol: int
    field: int
    ra: float
    dec: float
    angle: float = 12.0
    shape: tuple[int, int] = (120, 160)

    def wcs(self) -> WCS:
        plane = WCS(naxis=2)
        plane.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        plane.wcs.crval = [self.ra, self.dec]
        plane.wcs.crpix = [(self.shape[1] + 1) / 2, (self.shape[0] + 1) / 2]
        turn = math.radians(self.angle)
        scale = PIXEL_ARCSEC / 3600
        # as in the survey, rows run along declination and columns along right ascension, approximately
        plane.wcs.cd = scale * np.array([[math.sin(turn), math.cos(turn)], [math.cos(turn), -math.sin(turn)]])
        return plane


@dataclass
class ObservedSky:
    """The exposures of the fake survey, and the objects on its sky."""

    fields: list[SdssField] = field(default_factory=list)
    things: list[Disc | Star] = field(default_factory=list)
    noise: float = 0.02

    def frame(self, one: SdssField, band: str) -> NDArray[np.float32]:
        colour = {"g": 0.6, "r": 1.0, "i": 1.3}[band]
        plane = one.wcs()
        y, x = np.mgrid[: one.shape[0], : one.shape[1]]
        ra, dec = plane.all_pix2world(x, y, 0)
        light = np.random.default_rng([one.run, one.camcol, one.field, ord(band)]).normal(0, self.noise, one.shape)
        for thing in self.things:
            east = (((ra - thing.ra + 180) % 360) - 180) * np.cos(np.radians(thing.dec)) * 3600
            north = (dec - thing.dec) * 3600
            if isinstance(thing, Star):
                light += thing.flux * colour * np.exp(-(east**2 + north**2) / (2 * 0.6**2)) / (2 * math.pi * 2.3)
                continue
            pa = math.radians(thing.pa)
            along, across = north * math.cos(pa) + east * math.sin(pa), east * math.cos(pa) - north * math.sin(pa)
            light += thing.peak * colour * np.exp(-np.hypot(along, across / thing.ratio) / thing.scale)
        return light.astype(np.float32)


class FakeSqlSearch(FakeService):
    """SkyServer's SqlSearch with the table Field, in JSON; an invalid query gets 400."""

    def __init__(self, survey: ObservedSky) -> None:
        super().__init__()
        self.survey = survey

    def answer(self, request: Seen) -> FakeReply:
        assert re.fullmatch(r"/dr\d+/SkyServerWS/SearchTools/SqlSearch", request.path), request.path
        assert request.query["format"] == "json"
        limited = re.fullmatch(r"SELECT TOP (\d+) (.*)", request.query["cmd"])
        assert limited, request.query["cmd"]
        with sqlite3.connect(":memory:") as base:
            base.row_factory = sqlite3.Row
            base.execute("CREATE TABLE Field (run, rerun, camcol, field, ra, dec)")
            rows = [(f.run, 301, f.camcol, f.field, f.ra, f.dec) for f in self.survey.fields]
            base.executemany("INSERT INTO Field VALUES (?, ?, ?, ?, ?, ?)", rows)
            try:
                found = base.execute(f"SELECT {limited[2]} LIMIT {limited[1]}").fetchall()
            except sqlite3.Error as error:
                return FakeReply(
                    json.dumps({"ErrorMessage": str(error)}).encode(), "application/json", 400, "Bad Request"
                )
        base.close()
        table = [{"TableName": "Table1", "Rows": [dict(row) for row in found]}]
        return FakeReply(json.dumps(table).encode(), "application/json")


class FakeArchiveServer(FakeService):
    """The Science Archive Server's calibrated frames; frames in ``lost`` don't exist."""

    def __init__(self, survey: ObservedSky) -> None:
        super().__init__()
        self.survey = survey
        self.lost: set[str] = set()

    def answer(self, request: Seen) -> FakeReply:
        match = re.fullmatch(
            r"/sas/dr\d+/eboss/photoObj/frames/301/(\d+)/(\d)/(frame-([ugriz])-(\d{6})-(\d)-(\d{4})\.fits\.bz2)",
            request.path,
        )
        assert match, request.path
        run, camcol, name, band = int(match[1]), int(match[2]), match[3], match[4]
        assert (int(match[5]), int(match[6])) == (run, camcol)
        known = {(f.run, f.camcol, f.field): f for f in self.survey.fields}
        one = known.get((run, camcol, int(match[7])))
        if one is None or name in self.lost:
            return FakeReply(b"<html>Not Found</html>", "text/html", 404, "Not Found")
        header = one.wcs().to_header()
        header["NMGY"] = 0.005
        hdus = fits.HDUList([fits.PrimaryHDU(self.survey.frame(one, band), header), fits.ImageHDU(np.ones(4))])
        buffer = io.BytesIO()
        hdus.writeto(buffer)
        return FakeReply(bz2.compress(buffer.getvalue(), 1), "application/x-bzip2")
