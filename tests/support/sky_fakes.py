"""All fakes of the sky's services together."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from gateway.sky import Sky, SkySettings, open_sky
from tests.support.sky_services import (
    FakeHips2fits,
    FakeHyperLeda,
    FakeNed,
    FakeSesame,
    FakeSimbad,
    FakeSkyServer,
    FakeVizier,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.sky_http import FakeService


@dataclass
class FakeSky:
    """One fake of every service."""

    sesame: FakeSesame = field(default_factory=FakeSesame)
    simbad: FakeSimbad = field(default_factory=FakeSimbad)
    ned: FakeNed = field(default_factory=FakeNed)
    hyperleda: FakeHyperLeda = field(default_factory=FakeHyperLeda)
    vizier: FakeVizier = field(default_factory=FakeVizier)
    skyserver: FakeSkyServer = field(default_factory=FakeSkyServer)
    hips2fits: FakeHips2fits = field(default_factory=FakeHips2fits)

    @property
    def services(self) -> dict[str, FakeService]:
        return dict(vars(self))

    @property
    def urls(self) -> dict[str, list[str]]:
        """Return the fields of SkySettings for a gateway with these fakes."""
        paths = {
            "simbad": "/simbad/sim-tap/sync",
            "ned": "/srs/ObjectLookup",
            "hyperleda": "/hyperleda/fG.cgi",
            "vizier": "/TAPVizieR/tap/sync",
            "skyserver": "/dr{release}/SkyServerWS/ImgCutout/getjpeg",
            "hips2fits": "/hips-image-services/hips2fits",
            "sesame": "/cgi-bin/nph-sesame",
        }
        return {f"{name}_urls": [fake.url + paths[name]] for name, fake in self.services.items()}

    def settings(self, **changes: Any) -> SkySettings:
        """Return settings with these fakes only, without rate limits."""
        urls: dict[str, Any] = {name: tuple(listed) for name, listed in self.urls.items()}
        return SkySettings(**{**urls, "simbad_rate_per_s": None, **changes})

    @asynccontextmanager
    async def opened(self, **changes: Any) -> AsyncIterator[Sky]:
        """Yield a sky that uses these fakes, and close it."""
        sky = open_sky(self.settings(**changes))
        try:
            yield sky
        finally:
            await sky.aclose()

    @property
    def calls(self) -> dict[str, int]:
        """Return the number of requests to each service, without unused ones."""
        return {name: len(fake.requests) for name, fake in self.services.items() if fake.requests}

    def __enter__(self) -> Self:
        for fake in self.services.values():
            fake.start()
        return self

    def __exit__(self, *_: object) -> None:
        for fake in self.services.values():
            fake.stop()
        complaints = [str(one) for fake in self.services.values() for one in fake.complaints]
        assert not complaints, complaints
