"""A service may send the client elsewhere on its own site, and nowhere else: another address may be one inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from gateway.core import errors
from gateway.sky.http.service import FailureError
from gateway.sky.http.transport import site, stay_on_site
from tests.support.sky_client import Client, Counter, parse, service, soon
from tests.support.sky_http import FakeReply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.sky_http import Seen


class Elsewhere(Counter):
    """Sends everyone to ``location``."""

    location = ""

    def answer(self, request: Seen) -> FakeReply:
        del request
        return FakeReply(b"", "text/plain", 302, "ResolverRecord", {"Location": self.location})


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as fake:
        yield fake


async def test_an_inner_address_is_never_asked_because_a_service_says_so(
    client: Client, elsewhere: Elsewhere, one: Counter
) -> None:
    # the same machine by another name: what counts is that nobody configured it
    elsewhere.location = f"http://localhost:{one.port}/latest/meta-data"
    with pytest.raises(errors.UpstreamBroken, match="sent the request to another place") as told:
        await client.get(service(elsewhere), "", parse, deadline=soon())
    assert one.requests == []
    assert len(elsewhere.requests) == 1
    assert "meta-data" not in told.value.detail


async def test_the_other_mirror_is_asked_instead(client: Client, elsewhere: Elsewhere, one: Counter) -> None:
    elsewhere.location = "http://169.254.169.254/latest/meta-data"
    assert await client.get(service(elsewhere, one), "", parse, deadline=soon()) == "answer 1"


@pytest.mark.parametrize(
    ("asked", "sent_to", "followed"),
    [
        ("http://simbad.cds.unistra.fr/sim", "https://simbad.cds.unistra.fr/sim", True),
        ("https://vizier.cds.unistra.fr/a", "https://cdsarc.cds.unistra.fr/b", True),
        ("https://skyserver.sdss.org/dr18", "/dr19", True),
        ("https://skyserver.sdss.org/dr18", "//data.sdss.org/dr18", True),
        ("https://skyserver.sdss.org/dr18", "http://skyserver.sdss.org/dr18", False),
        ("https://skyserver.sdss.org/dr18", "https://skyserver.sdss.org.example.org/dr18", False),
        ("https://skyserver.sdss.org/dr18", "https://evilsdss.org/dr18", False),
        ("https://www.roe.ac.uk/x", "https://www.ed.ac.uk/x", False),
        ("https://www.roe.ac.uk/x", "https://data.roe.ac.uk/x", True),
        ("http://10.0.0.7:8000/x", "http://10.0.0.7:8001/x", True),
        ("http://10.0.0.7/x", "http://10.0.1.7/x", False),
        ("http://mirror/x", "http://metadata/x", False),
        ("http://[fd00::1]/x", "http://[fd00::2]/x", False),
        ("https://alasky.cds.unistra.fr/x", "http://127.0.0.1/x", False),
    ],
)
async def test_a_site_is_what_one_organisation_has_under_its_name(asked: str, sent_to: str, followed: bool) -> None:  # noqa: FBT001 - a column of the table
    response = httpx.Response(302, headers={"Location": sent_to}, request=httpx.Request("GET", asked))
    if followed:
        await stay_on_site(response)
    else:
        with pytest.raises(FailureError, match="another place"):
            await stay_on_site(response)


def test_an_address_is_a_site_of_its_own() -> None:
    assert site("10.0.0.7") == "10.0.0.7"
    assert site("::1") == "::1"
    assert site("CDS.Unistra.FR") == "unistra.fr"
