"""What each service's answers mean, and which answers mean nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.core import errors
from gateway.core.models import Galaxy
from gateway.sky.http.service import NonsenseError, Reply
from gateway.sky.resolvers import hyperleda, ned, sesame, simbad, tap
from gateway.sky.resolvers.record import ResolverRecord, leda_number, nearest, position

if TYPE_CHECKING:
    from collections.abc import Callable

M31 = """<?xml version="1.0" encoding="UTF-8"?>
<Sesame xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:noNamespaceSchemaLocation="http://vizier.u-strasbg.fr/xml/sesame_4x.xsd">
<Target option="SNV"><name>M31</name>
<Resolver name="S=Simbad (via url)"><!-- delay 9ms -->
<oid>1575544</oid><otype>AGN</otype><jpos>00:42:44.33 +41:16:07.5</jpos>
<jradeg>10.684708</jradeg><jdedeg>41.268750</jdedeg><oname>M  31</oname>
<alias>2C 56</alias><alias>LEDA    2557</alias></Resolver></Target></Sesame>"""


def reply(content: str | bytes | dict[str, Any]) -> Reply:
    text = json.dumps(content) if isinstance(content, dict) else content
    return Reply(200, "text/plain", text.encode() if isinstance(text, str) else text)


def table(columns: str, *rows: list[Any]) -> Reply:
    return reply({"metadata": [{"name": name} for name in columns.split()], "data": list(rows)})


def test_sesame_gives_position_type_name_and_pgc_number() -> None:
    found = sesame.parse(reply(M31))
    assert found is not None
    assert found.galaxy == Galaxy(10.684708, 41.26875, name="M 31", pgc=2557, source="Sesame")
    assert found.checked("M31") is found.galaxy


def test_sesame_skips_a_database_without_a_position() -> None:
    text = M31.replace("<Resolver", "<Resolver name='N=NED'><oname>x</oname></Resolver><Resolver", 1)
    found = sesame.parse(reply(text))
    assert found is not None
    assert found.galaxy.name == "M 31"


def test_names_are_encoded_in_queries() -> None:
    assert sesame.by_name("MCG+07 &?") == "/-oxpI/SNV?MCG%2B07+%26%3F"
    assert parse_qs(urlsplit(ned.by_name("MCG+07 &?")).query)["name"] == ["MCG+07 &?"]


def test_a_quote_in_a_name_stays_within_its_literal() -> None:
    (adql,) = parse_qs(urlsplit(simbad.by_name("x' OR '1'='1")).query)["query"]
    assert adql.endswith("WHERE i.id = 'x'' OR ''1''=''1'")


def test_simbad_gives_axes_and_pgc_number() -> None:
    columns = "main_id ra dec otype galdim_majaxis galdim_minaxis galdim_angle galdim_wavelength leda"
    row = ["NAME Some  Galaxy", 10.0, -5.0, "GiC", 4.0, 1.0, 200.0, "O", "LEDA    2557"]
    (found,) = simbad.parse(table(columns, row))
    galaxy = Galaxy(10.0, -5.0, "Some Galaxy", 2557, 4.0, 0.25, 20.0, "SIMBAD", "SIMBAD")
    assert found.galaxy == galaxy
    (bare,) = simbad.parse(table(columns, ["X", 10.0, -5.0, "G", None, None, None, "", None]))
    assert (bare.galaxy.d25_arcmin, bare.galaxy.axis_ratio, bare.galaxy.pgc) == (None, None, None)
    assert simbad.parse(table(columns)) == []


@pytest.mark.parametrize("separator", ["|", "\t", ","])
def test_hyperleda_s_table_is_read_whatever_its_separator(separator: str) -> None:
    head = ["pgc", "objname", "objtype", "al2000", "de2000", "logd25", "logr25", "pa"]
    row = ["2557", "NGC0224", "G", "0.7123073", "41.26875", "3.25", "0.49", "35."]
    text = "\n".join(["# HyperLeda", separator.join(head), separator.join(row), "# end"])
    found = hyperleda.parse_sql(reply(text))
    assert found is not None
    galaxy = found.galaxy
    assert (galaxy.name, galaxy.pgc, galaxy.source) == ("NGC 224", 2557, "HyperLEDA")
    assert galaxy.ra_deg == pytest.approx(0.7123073 * 15)
    assert galaxy.d25_arcmin == pytest.approx(177.828, abs=1e-3)
    assert galaxy.axis_ratio == pytest.approx(0.3236, abs=1e-4)
    assert galaxy.position_angle_deg == 35


def test_hyperleda_s_stars_are_no_galaxies() -> None:
    text = "pgc|objtype|al2000|de2000\n5|S|1.0|2.0"
    found = hyperleda.parse_sql(reply(text))
    assert found is not None
    with pytest.raises(errors.NotAGalaxy):
        found.checked("PGC 5")


@pytest.mark.parametrize("ra_dec", [(10.684583, 41.269444), ("00 42 44.3", "+41 16 10"), ("00:42:44.3", "+41:16:10")])
def test_vizier_s_positions_are_read_in_both_notations(ra_dec: tuple[object, object]) -> None:
    row = [2557, *ra_dec, 3.3, 0.45, 35.0]
    (found,) = hyperleda.parse_tap(table("PGC RAJ2000 DEJ2000 logD25 logR25 PA", row))
    assert (found.galaxy.ra_deg, found.galaxy.dec_deg) == pytest.approx((10.684583, 41.269444), abs=1e-5)
    assert found.galaxy.d25_arcmin == pytest.approx(199.526)


def test_hyperleda_s_marks_for_unknown_are_unknown() -> None:
    assert hyperleda.axes(9.99, 9.99, 999.0) == (None, None, None)
    assert hyperleda.axes(1.5, -0.1, 180.0) == (3.162, 1.0, 0.0)


PARSERS: list[Callable[[Reply], object]] = [
    sesame.parse,
    simbad.parse,
    ned.parse,
    hyperleda.parse_sql,
    hyperleda.parse_tap,
    tap.rows,
]
NONSENSE = [
    b"",
    b"<!DOCTYPE html><html><body>Maintenance</body></html>",
    b"  <HTML><body>login</body></HTML>",
    b"<VOTABLE><INFO name='QUERY_STATUS' value='ERROR'/></VOTABLE>",
    b"{}",
    b"[]",
    b"null",
    b'{"metadata": [{"name": "ra"}], "data": [[1, 2]]}',
    b'{"ResultCode": "x"}',
    b'{"ResultCode": 3}',
    b'{"ResultCode": 3, "Preferred": {"Name": "x", "Position": {"RA": null, "Dec": 3}}}',
    b'{"ResultCode": 9}',
    b"<Sesame><Target><Resolver><jradeg>400</jradeg><jdedeg>1</jdedeg></Resolver></Target></Sesame>",
    b"<Sesame><Target><Resolver><jradeg>4",
    b"pgc|al2000|de2000\nx|y|z",
    b"\xff\xfe\x00\x01",
]


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("content", NONSENSE)
def test_nonsense_is_never_an_answer(parse: Callable[[Reply], object], content: bytes) -> None:
    with pytest.raises(NonsenseError):
        parse(reply(content))


@pytest.mark.parametrize(("ra", "dec"), [(400, 0), (10, -91), ("nan", 0), ("", ""), (None, None), ("1 2 3 4", "3 4 5")])
def test_impossible_positions_are_nonsense(ra: object, dec: object) -> None:
    with pytest.raises(NonsenseError):
        position(ra, dec)


def test_a_small_negative_sexagesimal_declination_keeps_its_sign() -> None:
    assert position("12 00 00", "-00 30 00") == (180.0, -0.5)


@pytest.mark.parametrize(
    ("identifiers", "number"),
    [("M 31\nLEDA    2557\nUGC 454", 2557), ("PGC 0042", 42), ("XLEDA 7", None), ("", None)],
)
def test_the_pgc_number_is_found_among_identifiers(identifiers: str, number: int | None) -> None:
    assert leda_number(identifiers) == number


def found(kind: str, ra: float = 10.0, d25: float | None = None) -> ResolverRecord:
    return ResolverRecord(Galaxy(ra, 0.0, name="X", d25_arcmin=d25, source="SIMBAD"), kind)


@pytest.mark.parametrize("kind", ["G", "GiC", "AGN", "Sy2", "", "?", "RadioS", "IrS"])
def test_galaxies_and_objects_of_unsaid_kind_pass(kind: str) -> None:
    assert found(kind).checked("X").name == "X"


@pytest.mark.parametrize("kind", ["*", "PN", "GlC", "HII", "SNR", "PoG", "V*"])
def test_other_kinds_are_told_apart(kind: str) -> None:
    with pytest.raises(errors.NotAGalaxy):
        found(kind).checked("X")


def test_the_nearest_galaxy_is_meant_and_a_nearer_star_is_not() -> None:
    near, far = found("G", 10.0 + 3 / 3600), found("G", 10.0 - 4 / 3600)
    assert nearest([far, found("*", 10.0), near], 10.0, 0.0) is near
    assert nearest([found("G", 10.0 + 6 / 3600)], 10.0, 0.0) is None
    assert nearest([found("G", 10.0 + 6 / 3600, 10.0)], 10.0, 0.0) is not None
