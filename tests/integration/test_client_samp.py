"""Tables and images to other programs, by astropy's own hub on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
import pytest
from astropy import samp as astropy_samp
from astropy.io import fits
from astropy.io.votable import parse
from typer.testing import CliRunner

from inclinet import Answer, errors, samp
from inclinet.main import app
from tests.support.live import Live
from tests.support.scripted_gateway import answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AsyncExitStack
    from pathlib import Path

    from starlette.types import ASGIApp

# what astropy's hub leaves to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Program:
    """A program at the hub that takes tables and images and remembers what it read."""

    def __init__(self, *kinds: str, name: str = "topcat", fails: bool = False) -> None:
        self.read: list[Any] = []
        self._fails = fails
        self.client = astropy_samp.SAMPIntegratedClient(name=name, addr="127.0.0.1")
        self.client.connect()
        for kind in kinds:
            self.client.bind_receive_call(kind, self._take)

    def _take(self, _key: str, _sender: str, message_id: str, mtype: str, params: Any, _extra: Any) -> None:
        path = url2pathname(urlsplit(params["url"]).path)
        if self._fails:
            self.client.ereply(message_id, "samp.error", error={"samp.errortxt": "no"})
            return
        read: Any = parse(path).get_first_table() if mtype == samp.TABLE else fits.getdata(path)
        self.read.append((params["name"], read))
        self.client.ereply(message_id, "samp.ok", result={})


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # the hub's address is in a file that this names
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'samp').as_uri()}")
    monkeypatch.setattr(astropy_samp.conf, "use_internet", value=False)
    running = astropy_samp.SAMPHubServer(
        web_profile=False, lockfile=str(tmp_path / "samp"), addr="127.0.0.1", mode="multiple"
    )
    running.start()
    yield
    running.stop()


@pytest.mark.usefixtures("hub")
def test_an_answer_goes_as_a_table_with_units_ucds_descriptions_and_links() -> None:
    program = Program(samp.TABLE)
    assert Answer(answer(2557, "2026.3")).broadcast() == ["topcat"]
    assert Answer(answer(2557, "2026.3")).to_table()[:1].broadcast() == ["topcat"]
    (name, table), (_, again) = program.read
    assert again.array["inclination_deg"] == table.array["inclination_deg"]
    assert name == "inclinet"
    (inclination,) = [one for one in table.fields if one.name == "inclination_deg"]
    assert (str(inclination.unit), inclination.ucd) == ("deg", "src.orbital.inclination;meta.main")
    assert inclination.description == "Inclination: median of the ensemble"
    (pgc,) = [one for one in table.fields if one.name == "pgc"]
    assert pgc.links[0].href.endswith("${pgc}")
    assert table.array["inclination_deg"][0] == 70.57
    assert table.array["position_angle_deg"].mask[0]
    program.client.disconnect()


@pytest.mark.usefixtures("hub")
def test_images_go_as_fits_to_those_that_take_them(tmp_path: Path) -> None:
    tables, images = Program(samp.TABLE), Program(samp.IMAGE, name="ds9")
    pixels = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    path = tmp_path / "image.fits"
    fits.PrimaryHDU(pixels).writeto(path)
    assert samp.broadcast(path, name="NGC 1") == ["ds9"]
    assert samp.broadcast(fits.PrimaryHDU(pixels)) == ["ds9"]
    assert [name for name, _ in images.read] == ["NGC 1", "inclinet"]
    assert all((read == pixels).all() for _, read in images.read)
    assert tables.read == []
    with pytest.raises(TypeError, match="tables and FITS images"):
        samp.broadcast(b"\x89PNG")
    for program in (tables, images):
        program.client.disconnect()


@pytest.mark.usefixtures("hub")
def test_nobody_who_takes_it_is_told() -> None:
    broken = Program(samp.TABLE, fails=True)
    with pytest.raises(errors.SampError, match="none took it"):
        samp.broadcast(Answer(answer(2557, "2026.3")))
    broken.client.disconnect()


def test_where_no_hub_runs_it_says_what_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'none').as_uri()}")
    with pytest.raises(errors.SampError, match="start TOPCAT or Aladin first"):
        samp.broadcast(Answer(answer(2557, "2026.3")))


@pytest.mark.usefixtures("hub")
def test_the_command_line_sends_what_it_prints() -> None:
    async def make(_opened: AsyncExitStack) -> ASGIApp:
        from starlette.applications import Starlette
        from starlette.responses import JSONResponse
        from starlette.routing import Route

        return Starlette(routes=[Route("/api/pgc/2557", lambda _request: JSONResponse(answer(2557, "first")))])

    program = Program(samp.TABLE)
    with Live(make) as live:
        done = CliRunner().invoke(app, ["pgc", "2557", "--samp", "--url", live.url])
    assert done.exit_code == 0, done.output
    assert "Sent to topcat." in done.output
    assert program.read[0][1].array["pgc"][0] == 2557
    program.client.disconnect()
