"""The Python client against the real gateway, whose networks and sky are faked, and against servers that misbehave."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from inclinet import AsyncInclinet, Inclinet, InclinetError, errors
from tests.support.live import Live, live_gateway
from tests.support.pictures import disc, encoded
from tests.support.scripted_gateway import answer, problem
from tests.support.sky_fakes import FakeSky
from tests.support.sky_universe import universe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AsyncExitStack
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

PNG = encoded(disc(128), "PNG")


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    universe()
    with FakeSky() as sky:
        mirrors: dict[str, Any] = {name: tuple(urls) for name, urls in sky.urls.items()}
        with live_gateway(**mirrors) as live:
            yield live.url


@pytest.fixture
def inclinet(gateway: str) -> Iterator[Inclinet]:
    with Inclinet(gateway) as client:
        yield client


def test_a_galaxy_is_asked_by_name_number_and_position(inclinet: Inclinet) -> None:
    by_name = inclinet.query_object("NGC 7331")
    assert by_name.galaxy is not None
    assert by_name.galaxy.pgc == 69327
    assert by_name.picture is not None
    assert by_name.image["source"].startswith("SDSS")
    assert inclinet.query_pgc(69327).inclination == by_name.inclination
    place = SkyCoord(339.2667 * u.deg, 34.4155 * u.deg).galactic
    there = inclinet.query_region(place, fov=14 * u.arcmin, pa=170 * u.deg, survey="dss2")
    assert there.galaxy is not None
    assert there.galaxy.coordinates.separation(place) < 1 * u.arcsec
    assert there.image["fov_arcmin"] == 14.0
    assert there.image["source"] != by_name.image["source"]
    assert inclinet.release() == by_name.release


def test_an_image_is_asked_as_a_whole_or_in_a_frame(inclinet: Inclinet, tmp_path: Path) -> None:
    path = tmp_path / "disc.png"
    path.write_bytes(PNG)
    whole = inclinet.query_image(path, frame="whole", r=0.2)
    assert whole.galaxy is None
    assert whole.json["image"]["frame"]["chosen_by"] == "whole"
    assert whole.ellipticity is not None
    assert whole.ellipticity.r == 0.2
    framed = inclinet.query_image(PNG, x=64, y=60, side=50)
    assert framed.json["image"]["frame"] == {"x": 64.0, "y": 60.0, "side": 50.0, "chosen_by": "caller"}


def test_pictures_come_only_where_they_are_wanted(gateway: str) -> None:
    with Inclinet(gateway, pictures=False) as inclinet:
        assert inclinet.query_object("NGC 7331").picture is None


def test_a_table_is_answered_row_by_row_in_its_order(inclinet: Inclinet, tmp_path: Path) -> None:
    asked = QTable({"designation": ["NGC 7331", "no such thing", "NGC 628"], "id": [7, 8, 9]})
    result = inclinet.query_table(asked, columns={"name": "designation", "key": "id"}, survey="sdss")
    assert list(result["key"]) == ["7", "8", "9"]
    assert list(result["name"]) == ["NGC 7331", "", "NGC 628"]
    assert list(result["problem_type"]) == ["", "unknown-target", ""]
    assert list(result["inclination_deg"].mask) == [False, True, False]
    assert result["inclination_deg"].unit == u.deg
    assert result.meta["release"] == inclinet.release()
    assert result.meta["columns"]["name"]["column"] == "designation"
    path = tmp_path / "galaxies.csv"
    asked.write(path)
    again = inclinet.query_table(str(path), columns={"name": "designation", "key": "id"}, survey="sdss")
    assert (again["inclination_deg"] == result["inclination_deg"]).all()


def test_progress_is_told_on_standard_error(inclinet: Inclinet, capsys: pytest.CaptureFixture[str]) -> None:
    inclinet.query_table(Table({"pgc": [69327, 5974]}), progress=True)
    said = capsys.readouterr()
    assert "100%" in said.err
    assert "Measuring" not in said.out


async def test_the_other_client_is_the_same_with_await(gateway: str) -> None:
    async with AsyncInclinet(gateway) as inclinet:
        named, image, table, release = await asyncio.gather(
            inclinet.query_object("NGC 7331"),
            inclinet.query_image(PNG),
            inclinet.query_table(Table({"pgc": [69327]})),
            inclinet.release(),
        )
        assert named.galaxy is not None
        assert image.release == release
        assert table["inclination_deg"][0] == named.inclination
        streamed = dict([one async for one in inclinet.stream([{"pgc": 69327}, {"name": "no such thing"}])])
        assert streamed[0].row() == named.row()  # type: ignore[union-attr]  # none of them is a problem
        assert isinstance(streamed[1], errors.TargetUnknown)
        with pytest.raises(errors.TargetUnknown):
            await inclinet.query_object("no such thing")


def test_what_can_not_be_answered_is_an_exception_with_what_may_help(inclinet: Inclinet) -> None:
    with pytest.raises(errors.TargetUnknown) as unknown:
        inclinet.query_object("NGC 73311")
    assert unknown.value.status == 404
    assert "suggestions" in unknown.value.extra
    with pytest.raises(errors.ImageRefused) as image:
        inclinet.query_image(b"not an image")
    assert image.value.slug == "unsupported-image"
    with pytest.raises(errors.TableRefused):
        inclinet.query_table(Table({"nothing": [1]}))
    with pytest.raises(errors.RequestRefused):
        inclinet.query_image(PNG, x=3)


@dataclass
class Scripted:
    """Gives the answers it was told, one after the other, and remembers when it was asked and with which key."""

    answers: list[Response] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    hang: threading.Event | None = None

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        yield
        if self.hang is not None:
            self.hang.set()

    async def _answer(self, request: Request) -> Response:
        self.asked.append(time.monotonic())
        self.keys.append(request.headers.get("authorization", ""))
        await request.body()
        while self.hang is not None and not self.hang.is_set():  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.01)
        return self.answers.pop(0) if self.answers else JSONResponse(answer(2557, "first"))

    def live(self) -> Live:
        async def make(_opened: AsyncExitStack) -> ASGIApp:
            routes = [Route("/{path:path}", self._answer, methods=["GET", "POST"])]
            return Starlette(routes=routes, lifespan=self._lifespan)

        return Live(make)


def refusal(slug: str, status: int, **headers: str) -> Response:
    return JSONResponse(problem(slug, status), status, {name.replace("_", "-"): text for name, text in headers.items()})


@pytest.fixture
def scripted() -> Iterator[tuple[Scripted, str]]:
    server = Scripted()
    with server.live() as live:
        yield server, live.url


def test_a_busy_gateway_is_asked_again_after_the_time_that_it_says(scripted: tuple[Scripted, str]) -> None:
    server, url = scripted
    server.answers = [refusal("busy", 503, retry_after="1"), refusal("too-many-requests", 429)]
    with Inclinet(url) as inclinet:
        assert inclinet.query_pgc(2557).inclination == 70.57 * u.deg
    first, second, _ = server.asked
    assert second - first >= 1.0
    server.answers, server.asked = [refusal("busy", 503, retry_after="1")], []
    asyncio.run(_ask_patiently(url))
    first, second = server.asked
    assert second - first >= 1.0


async def _ask_patiently(url: str) -> None:
    async with AsyncInclinet(url) as inclinet:
        assert (await inclinet.query_pgc(2557)).release == "first"


def test_a_wait_beyond_the_timeout_is_not_begun(scripted: tuple[Scripted, str]) -> None:
    server, url = scripted
    server.answers = [refusal("busy", 503, retry_after="3600")]
    with Inclinet(url) as inclinet, pytest.raises(errors.GatewayBusy) as refused:
        inclinet.query_pgc(2557)
    assert refused.value.retry_after == 3600.0
    server.answers = [refusal("busy", 503, retry_after="0")]
    with Inclinet(url, retry=False) as inclinet, pytest.raises(errors.GatewayBusy):
        inclinet.query_pgc(2557)
    assert len(server.asked) == 2


def test_what_no_waiting_changes_is_not_asked_again(scripted: tuple[Scripted, str]) -> None:
    server, url = scripted
    server.answers = [refusal("upstream-broken", 502), refusal("deadline-exceeded", 504), refusal("internal", 500)]
    with Inclinet(url) as inclinet:
        for kind in (errors.UpstreamFailed, errors.UpstreamFailed, errors.GatewayFailed):
            with pytest.raises(kind):
                inclinet.query_pgc(2557)
    assert len(server.asked) == 3


def test_the_key_is_shown_from_the_environment_or_as_given(
    scripted: tuple[Scripted, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = scripted
    monkeypatch.setenv("INCLINET_API_KEY", "of the environment")
    monkeypatch.setenv("INCLINET_URL", f"{url}/")
    for key in (None, "mine", ""):
        with Inclinet(key=key) as inclinet:
            assert inclinet.url == url
            inclinet.query_pgc(2557)
    assert server.keys == ["Bearer of the environment", "Bearer mine", ""]
    server.answers = [refusal("unauthorized", 401)]
    with Inclinet() as inclinet, pytest.raises(errors.KeyRefused):
        inclinet.query_pgc(2557)


@pytest.mark.parametrize(
    "said",
    [
        PlainTextResponse("<html>Welcome</html>"),
        JSONResponse({"inclination": {"median_deg": 60}}),
        JSONResponse([1]),
        JSONResponse(answer(2557, "first") | {"release": None}),
    ],
)
def test_a_stranger_never_answers(scripted: tuple[Scripted, str], said: Response) -> None:
    server, url = scripted
    server.answers = [said, said, said]
    with Inclinet(url) as inclinet:
        with pytest.raises(errors.NotAGateway, match="is not an inclinet gateway"):
            inclinet.query_pgc(2557)
        with pytest.raises(errors.NotAGateway):
            inclinet.query_table(Table({"pgc": [2557]}))


def test_a_table_that_ends_early_is_no_table(scripted: tuple[Scripted, str]) -> None:
    server, url = scripted
    line = json.dumps({"row": 0, "key": "a", "ok": True, "answer": answer(2557, "first")})
    for body in (f"{line}\n", f"{line}\n{line}\n", "nonsense\n", f'{line}\n{{"row": 7, "ok": true}}\n'):
        ndjson: dict[str, Any] = {"media_type": "application/x-ndjson", "headers": {"X-Inclinet-Rows": "2"}}
        server.answers = [Response(body, **ndjson)]
        with Inclinet(url) as inclinet, pytest.raises(errors.NoAnswer):
            inclinet.query_table(Table({"pgc": [1, 2]}))


def test_an_answer_that_does_not_come_in_time_is_told(scripted: tuple[Scripted, str]) -> None:
    server, url = scripted
    server.hang = threading.Event()
    with Inclinet(url, timeout=0.2) as inclinet, pytest.raises(errors.NoAnswer, match="in time"):
        inclinet.query_pgc(2557)
    server.hang.set()


@pytest.mark.parametrize(
    ("url", "kind", "words"),
    [
        ("http://127.0.0.1:9", errors.Unreachable, "No gateway answers at http://127.0.0.1:9."),
        ("ftp://example.org", errors.NotAGateway, "is no address of a gateway"),
        ("http://host:port", errors.NotAGateway, "is no address of a gateway"),
    ],
)
def test_a_gateway_that_is_not_there_is_told_in_one_sentence(url: str, kind: type[InclinetError], words: str) -> None:
    with pytest.raises(kind, match=words) as told:
        Inclinet(url).query_pgc(2557)
    assert told.value.__cause__ is None
    assert told.value.status is None
