"""The fakes answer as the archives were recorded to (tests/recorded)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit
from xml.etree import ElementTree as ET

import pytest

from gateway.sky.resolvers import hyperleda, ned, sesame, simbad
from tests.support.sky_fakes import FakeSky
from tests.support.sky_http import FakeReply, Seen
from tests.unit.sky.resolvers.test_recorded_answers import RECORDED, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def fakes() -> Iterator[FakeSky]:
    with FakeSky() as fakes:
        yield fakes


def asked(tail: str) -> Seen:
    target = urlsplit(tail)
    return Seen(unquote_plus(target.path), dict(parse_qsl(target.query)), target.query, {})


def elements(content: bytes) -> set[str]:
    """The paths of elements in an XML document."""

    def below(element: ET.Element, path: str) -> Iterator[str]:
        yield f"{path}/{element.tag}"
        for child in element:
            yield from below(child, f"{path}/{element.tag}")

    return set(below(ET.fromstring(content), ""))  # noqa: S314 - our own


def test_the_fake_sesame_answers_with_recorded_elements(fakes: FakeSky) -> None:
    known = elements(recorded("sesame_simbad.xml").content)
    told = elements(fakes.sesame.answer(asked(sesame.by_name("NGC 3642"))).body)
    needed = {f"/Sesame/Target/Resolver/{name}" for name in ("otype", "jradeg", "jdedeg", "oname", "alias")}
    assert needed <= told <= known
    fakes.sesame.listed["XYZ 1"] = (170.56, 59.08)
    assert elements(fakes.sesame.answer(asked(sesame.by_name("XYZ 1"))).body) == elements(
        recorded("sesame_vizier.xml").content
    )
    assert elements(fakes.sesame.answer(asked(sesame.by_name("nonesuch"))).body) == elements(
        recorded("sesame_nothing.xml").content
    )


def columns(content: bytes) -> list[str]:
    return [column["name"] for column in json.loads(content)["metadata"]]


@pytest.mark.parametrize(
    ("service", "tail", "name"),
    [
        ("simbad", simbad.by_name("UGC 9999X"), "simbad_infrared.json"),
        ("vizier", hyperleda.tap_by_pgc(39600), "vizier_pgc.json"),
    ],
)
def test_the_fake_tap_services_answer_with_recorded_columns(fakes: FakeSky, service: str, tail: str, name: str) -> None:
    answer: FakeReply = fakes.services[service].answer(asked(tail))
    assert columns(answer.body) == columns(recorded(name).content)
    assert all(len(row) == len(columns(answer.body)) for row in json.loads(answer.body)["data"])


def test_what_is_asked_of_a_tap_service_is_what_is_recorded() -> None:
    """The columns of the query are those of the recorded table, so that neither drifts."""
    adql = asked(simbad.by_name("x")).query["query"]
    for name in columns(recorded("simbad_infrared.json").content):
        assert f"b.{name}," in adql or f"AS {name}" in adql or f"b.{name} " in adql
    assert (
        asked(hyperleda.tap_by_pgc(1))
        .query["query"]
        .startswith(f"SELECT {', '.join(columns(recorded('vizier_pgc.json').content))} FROM")
    )


@pytest.mark.parametrize(
    ("name", "file"),
    [("UGC 9999X", "ned_found.json"), ("nonesuch", "ned_unknown.json"), ("twice", "ned_ambiguous.json")],
)
def test_the_fake_ned_answers_with_recorded_keys(fakes: FakeSky, name: str, file: str) -> None:
    fakes.ned.ambiguous = frozenset({"twice"})
    told, known = json.loads(fakes.ned.answer(asked(ned.by_name(name))).body), json.loads(recorded(file).content)
    assert told["ResultCode"] == known["ResultCode"]
    assert _keys(told) <= _keys(known)


def _keys(value: Any, path: str = "") -> set[str]:
    if not isinstance(value, dict):
        return set()
    return {f"{path}/{key}" for key in value} | {one for key in value for one in _keys(value[key], f"{path}/{key}")}


def test_the_fake_hyperleda_answers_with_recorded_lines(fakes: FakeSky) -> None:
    def header(text: str) -> str:
        return next(line for line in text.splitlines() if line.startswith("pgc"))

    for pgc, name in ((2999999, "hyperleda_galaxy.txt"), (2999998, "hyperleda_pair.txt")):
        told = fakes.hyperleda.answer(asked(hyperleda.sql_by_pgc(pgc))).body.decode()
        known = recorded(name).text
        assert header(told) == header(known)
        assert told.splitlines()[3].split("|")[2] == known.splitlines()[3].split("|")[2]


@pytest.mark.parametrize(
    ("service", "tail", "name"),
    [
        (
            "skyserver",
            "/dr18/SkyServerWS/ImgCutout/getjpeg?ra=10&dec=-60&scale=1&width=128&height=128",
            "skyserver_outside",
        ),
        (
            "hips2fits",
            "/x?hips=CDS/P/DSS2/color&width=128&height=128&projection=TAN&fov=0.1&ra=1&dec=2&format=jpg",
            "hips2fits",
        ),
    ],
)
def test_the_fake_cutouts_come_with_recorded_status_and_type(
    fakes: FakeSky, service: str, tail: str, name: str
) -> None:
    answer: FakeReply = fakes.services[service].answer(asked(tail))
    head = json.loads((RECORDED / f"{name}.json").read_text())
    assert (answer.status, answer.reason, answer.content_type) == (head["status"], head["reason"], head["content_type"])
    assert answer.body.startswith(b"\xff\xd8\xff")
