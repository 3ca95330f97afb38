"""Recorded answers of the archives (tests/recorded) are understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.core import errors
from gateway.sky.catalogues import object_types
from gateway.sky.cutouts.fetch import outside_sdss
from gateway.sky.http.service import NonsenseError, Reply
from gateway.sky.resolvers import hyperleda, ned, sesame, simbad
from gateway.sky.resolvers.record import ResolverRecord
from tests.support import sky_painter

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDED = Path(__file__).parents[3] / "recorded"


def recorded(name: str, status: int = 200) -> Reply:
    return Reply(status, "text/plain", (RECORDED / name).read_bytes())


def sesame_s(name: str) -> ResolverRecord:
    found = sesame.parse(recorded(name))
    assert found is not None
    return found


def test_every_recorded_answer_names_its_source() -> None:
    told = (RECORDED / "README.md").read_text()
    files = {path.name for path in RECORDED.iterdir()} - {"README.md"}
    assert files
    assert all(f"`{name}`" in told for name in files)


def test_sesame_s_answer_from_simbad_is_a_galaxy() -> None:
    found = sesame_s("sesame_simbad.xml")
    assert (found.galaxy.name, found.kind, found.confirmed) == ("NGC 3642", "LIN", True)
    assert found.checked("NGC 3642").warnings == ()


@pytest.mark.parametrize(("name", "shown"), [("sesame_vizier.xml", "NGC 3642"), ("sesame_braces.xml", "NGC 4258")])
def test_sesame_s_answer_from_vizier_is_not_confirmed_and_has_no_braces(name: str, shown: str) -> None:
    found = sesame_s(name)
    assert (found.galaxy.name, found.kind, found.confirmed) == (shown, "", False)


def test_vizier_s_answer_does_not_hide_that_ned_was_not_reached() -> None:
    with pytest.raises(NonsenseError, match="databases"):
        sesame.parse(recorded("sesame_error.xml"))


def test_the_mark_for_a_name_is_not_shown() -> None:
    assert sesame_s("sesame_name.xml").galaxy.name == "CASTOR"


def test_ned_s_spelling_is_shown_as_people_write_it() -> None:
    assert sesame_s("sesame_ned.xml").galaxy.name == "M 82"
    found = ned.parse(recorded("ned_found.json"))
    assert found is not None
    assert (found.galaxy.name, found.kind) == ("M 31", "G")


def test_what_sesame_and_ned_do_not_know_is_none() -> None:
    assert sesame.parse(recorded("sesame_nothing.xml")) is None
    assert ned.parse(recorded("ned_unknown.json")) is None
    with pytest.raises(errors.UnknownTarget, match="ambiguous"):
        ned.parse(recorded("ned_ambiguous.json"))


def test_simbad_s_infrared_size_is_not_called_d25() -> None:
    m82, ngc3642 = simbad.parse(recorded("simbad_infrared.json"))
    assert m82.galaxy.d25_arcmin == pytest.approx(10.14)
    assert m82.galaxy.size_source == "SIMBAD (infrared size x 2)"
    (warning,) = m82.galaxy.warnings
    assert "infrared size is known, 5.07 arcmin" in warning
    assert ngc3642.galaxy.d25_arcmin == pytest.approx(3.346)
    assert ngc3642.galaxy.axis_ratio == pytest.approx(0.9904)
    assert m82.galaxy.pgc == 28655


def test_an_error_document_of_a_tap_service_is_no_table() -> None:
    with pytest.raises(NonsenseError):
        simbad.parse(recorded("simbad_error.xml"))


def test_hyperleda_s_types_tell_galaxies_and_pairs_apart() -> None:
    galaxy, pair = (
        hyperleda.parse_sql(recorded("hyperleda_galaxy.txt")),
        hyperleda.parse_sql(recorded("hyperleda_pair.txt")),
    )
    assert galaxy is not None
    assert pair is not None
    assert (galaxy.galaxy.name, galaxy.galaxy.pgc, galaxy.galaxy.size_source) == ("UGC 12591", 71392, None)
    assert galaxy.galaxy.ra_deg == pytest.approx(351.34125)
    with pytest.raises(errors.UnknownTarget, match="pair of galaxies"):
        pair.checked("PGC 2999998")
    assert hyperleda.parse_sql(recorded("hyperleda_nothing.txt")) is None


def test_vizier_s_zero_is_no_angle_and_its_multiple_systems_no_galaxies() -> None:
    zero, multiple, member = hyperleda.parse_tap(recorded("vizier_pgc.json"))
    assert (object_types.is_galaxy(zero.kind), zero.galaxy.position_angle_deg) == (True, None)
    assert (object_types.is_galaxy(multiple.kind), multiple.is_several) == (False, True)
    assert (object_types.is_galaxy(member.kind), member.galaxy.position_angle_deg) == (True, 45.0)


def test_skyserver_says_outside_by_status_and_body() -> None:
    head = json.loads((RECORDED / "skyserver_outside.json").read_text())
    jpeg = sky_painter.jpeg(sky_painter.outside(128))
    assert outside_sdss(Reply(head["status"], head["content_type"], jpeg))
    assert not outside_sdss(Reply(404, "text/html", b"<html><body>No such page</body></html>"))
    assert not outside_sdss(Reply(500, head["content_type"], jpeg))


@pytest.mark.parametrize("code", ["M", "M2", "M3", "MG", "MC", "M17"])
def test_whatever_hyperleda_calls_multiple_is_several(code: str) -> None:
    assert ResolverRecord(sesame_s("sesame_simbad.xml").galaxy, object_types.of_hyperleda(code)).is_several


@pytest.mark.parametrize("code", ["PaG", "GrG", "CGG", "ClG", "SCG", "IG", "GPair", "GTrpl", "GGroup", "GClstr"])
def test_whatever_simbad_and_ned_call_multiple_is_a_404_with_its_members(code: str) -> None:
    found = ResolverRecord(sesame_s("sesame_simbad.xml").galaxy, code)
    with pytest.raises(errors.UnknownTarget) as told:
        found.checked("Arp 1", members=["NGC 1", "NGC 2"])
    assert (told.value.status, told.value.extra["members"]) == (404, ["NGC 1", "NGC 2"])


@pytest.mark.parametrize(
    "code", ["HI", "mm", "IR", "NIR", "UV", "X", "gam", "Rad", "EmO", "?", "G?", "reg", "QSO", "VisS"]
)
def test_a_waveband_is_no_verdict_but_a_warning(code: str) -> None:
    galaxy = ResolverRecord(sesame_s("sesame_simbad.xml").galaxy, code).checked("HIPASS 1")
    (warning,) = galaxy.warnings
    assert f"only as {code!r}" in warning


_PARSERS: dict[str, Callable[[Reply], object]] = {
    "sesame": sesame.parse,
    "ned": ned.parse,
    "hyperleda": hyperleda.parse_sql,
}


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.*")), ids=lambda path: path.name)
def test_no_parser_takes_another_service_s_answer(path: Path) -> None:
    for service, parse in _PARSERS.items():
        if not path.name.startswith(service):
            with pytest.raises(NonsenseError):
                parse(recorded(path.name))
