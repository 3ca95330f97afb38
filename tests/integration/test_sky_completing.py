"""What services say of a galaxy is doubted, completed and warned of as it deserves, over real HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gateway.core import errors
from gateway.sky import SkySettings
from tests.support.gateway import gateway
from tests.support.sky_client import soon

if TYPE_CHECKING:
    from gateway.sky import Sky
    from tests.support.sky_fakes import FakeSky


@pytest.mark.parametrize("name", ["UGC 12914/5", "NGC 545/7", "UGC 99991 and UGC 99992", "ESO 001-002/003", "PGC 1/2"])
async def test_a_name_of_several_objects_is_asked_of_nobody(sky: Sky, fakes: FakeSky, name: str) -> None:
    with pytest.raises(errors.UnknownTarget) as told:
        await sky.resolver.by_name(name, deadline=soon())
    assert len(told.value.extra["members"]) == 2  # type: ignore[arg-type]  # a list
    assert fakes.calls == {}


@pytest.mark.parametrize(
    "name", ["184.74 47.304", "12 18 57.5 +47 18 14", "12h18m57.5s +47d18m14s", "J121857.5+471814", "2557"]
)
async def test_a_position_or_a_bare_number_is_no_name(sky: Sky, fakes: FakeSky, name: str) -> None:
    with pytest.raises(errors.BadTarget, match="ask by ra and dec, or by pgc"):
        await sky.resolver.by_name(name, deadline=soon())
    assert fakes.calls == {}


async def test_a_pair_that_simbad_knows_is_refused_with_the_galaxies_there(sky: Sky) -> None:
    with pytest.raises(errors.UnknownTarget, match=r"Arp 9984 is a pair of galaxies: NGC 539\d and NGC 539\d") as told:
        await sky.resolver.by_name("Arp 9984", deadline=soon())
    assert sorted(told.value.extra["members"]) == ["NGC 5394", "NGC 5395"]  # type: ignore[call-overload]  # a list
    with pytest.raises(errors.UnknownTarget, match="Arp 999 is a pair of galaxies"):
        await sky.resolver.by_name("Arp 999", deadline=soon())


async def test_a_number_that_hyperleda_calls_multiple_is_refused(sky: Sky, fakes: FakeSky) -> None:
    with pytest.raises(errors.UnknownTarget, match="PGC 2999998 is a pair of galaxies"):
        await sky.resolver.by_pgc(2999998, deadline=soon())
    fakes.hyperleda.fault = "html"
    fakes.vizier.newest = 3_000_000
    with pytest.raises(errors.UnknownTarget, match="PGC 2999998 is a group of galaxies"):
        await sky.resolver.by_pgc(2999998, deadline=soon())


@pytest.mark.parametrize("newest", [1_000_000, 3_000_000])
async def test_a_pair_is_no_galaxy_at_a_position(sky: Sky, fakes: FakeSky, newest: int) -> None:
    fakes.vizier.newest = newest
    assert await sky.resolver.at(236.5, 52.5, deadline=soon()) is None


async def test_an_infrared_size_alone_widens_the_field_with_a_warning(sky: Sky) -> None:
    galaxy = await sky.resolver.by_name("2MASX J09260000+1000000", deadline=soon())
    assert (galaxy.d25_arcmin, galaxy.size_source) == (1.2, "SIMBAD (infrared size x 2)")
    (warning,) = galaxy.warnings
    assert "Only an infrared size is known, 0.6 arcmin from SIMBAD" in warning
    cutout = await sky.cutouts.fetch(replace(galaxy, ra_deg=235.5, dec_deg=52.5), deadline=soon())
    assert cutout.fov_arcmin == pytest.approx(1.8)


@pytest.mark.parametrize("way", ["name", "position", "simbad"])
async def test_hyperleda_s_size_goes_before_an_infrared_one(sky: Sky, fakes: FakeSky, way: str) -> None:
    if way == "simbad":
        fakes.sesame.fault = "html"
    name = "2MASX J09260400+1000000"
    at = sky.resolver.at(141.5167, 10.0, deadline=soon())
    galaxy = await (at if way == "position" else sky.resolver.by_name(name, deadline=soon()))
    if way != "position":
        await at
    assert galaxy is not None
    assert (galaxy.d25_arcmin, galaxy.size_source, galaxy.warnings) == (0.6, "HyperLEDA", ())


async def test_an_infrared_size_serves_when_hyperleda_can_t_be_reached(sky: Sky, fakes: FakeSky) -> None:
    fakes.sesame.fault = fakes.hyperleda.fault = fakes.vizier.fault = "html"
    galaxy = await sky.resolver.by_name("2MASX J09260400+1000000", deadline=soon())
    assert (galaxy.d25_arcmin, len(galaxy.warnings)) == (1.2, 1)


async def test_simbad_is_asked_for_galaxies_alone_the_nearest_first(sky: Sky, fakes: FakeSky) -> None:
    await sky.resolver.at(129.4835, 30.2479, deadline=soon())
    (request,) = fakes.simbad.requests
    adql = request.query["query"]
    assert "b.galdim_wavelength" in adql
    assert "b.otype IN ('G', " in adql
    assert adql.endswith("ORDER BY apart")
    assert "DISTANCE(POINT('ICRS', b.ra, b.dec), POINT('ICRS', 129.483500, 30.247900)) AS apart" in adql


async def test_an_error_of_simbad_s_is_unknown(sky: Sky) -> None:
    with pytest.raises(errors.UnknownTarget, match="no object"):
        await sky.resolver.by_name("Error 1", deadline=soon())


async def test_what_vizier_alone_lists_is_no_galaxy_by_itself(sky: Sky, fakes: FakeSky) -> None:
    fakes.sesame.listed["FOO 1"] = (184.73, 47.31)
    with pytest.raises(errors.UnknownTarget, match=r"VizieR lists FOO 1 near ra 184\.7300, dec \+47\.3100"):
        await sky.resolver.by_name("FOO 1", deadline=soon())
    assert fakes.calls == {"sesame": 1, "simbad": 1, "ned": 1}


async def test_what_vizier_lists_is_the_galaxy_that_another_resolver_confirms(sky: Sky, fakes: FakeSky) -> None:
    fakes.sesame.listed["UGC 9999X"] = (235.52, 52.51)
    galaxy = await sky.resolver.by_name("UGC 9999X", deadline=soon())
    assert (galaxy.source, galaxy.ra_deg, galaxy.d25_arcmin) == ("SIMBAD", 235.5, 1.9)


async def test_a_listed_name_stays_unsaid_while_nobody_can_confirm_it(sky: Sky, fakes: FakeSky) -> None:
    fakes.sesame.listed["FOO 1"] = (184.73, 47.31)
    fakes.simbad.fault = fakes.ned.fault = "html"
    with pytest.raises(errors.UpstreamError):
        await sky.resolver.by_name("FOO 1", deadline=soon())


async def test_ned_s_position_is_completed_from_the_offline_catalogue_before_anything_is_asked(
    sky: Sky, fakes: FakeSky
) -> None:
    fakes.sesame.fault = fakes.simbad.fault = "html"
    galaxy = await sky.resolver.by_name("UGC 7353X", deadline=soon())
    assert (galaxy.name, galaxy.pgc, galaxy.d25_arcmin, galaxy.position_angle_deg) == ("UGC 7353X", 39600, 16.98, 150.0)
    assert (galaxy.source, galaxy.size_source, galaxy.warnings) == ("OpenNGC", "OpenNGC", ())
    assert fakes.calls.keys() == {"sesame", "simbad", "ned"}
    assert len(fakes.ned.requests) == 1


async def test_what_the_offline_catalogues_know_of_a_name_is_told_without_a_network(sky: Sky, fakes: FakeSky) -> None:
    for name in ("NGC 4258", "M106", "PGC 39600"):
        galaxy = await sky.resolver.known(name=name)
        assert galaxy is not None
        assert galaxy.pgc == 39600
    known = await sky.resolver.known(pgc=39600)
    assert known is not None
    for name in ("NGC 545/7", "M 42", "UGC 9999X"):
        assert await sky.resolver.known(name=name) is None
    assert fakes.calls == {}


@pytest.mark.parametrize(
    "reason", ["Not ResolverRecord", "", "NOT FOUND. Requested (ra, dec) is outside the SDSS footprint."]
)
async def test_outside_is_read_from_status_and_body(sky: Sky, fakes: FakeSky, reason: str) -> None:
    fakes.skyserver.reason = reason
    galaxy = await sky.resolver.by_name("NGC 4594", deadline=soon())
    with pytest.raises(errors.OutsideFootprint):
        await sky.cutouts.fetch(galaxy, deadline=soon())


def test_public_services_get_single_digits_of_calls_at_once_and_no_address_that_only_redirects() -> None:
    settings = SkySettings()
    assert 1 <= settings.names_concurrency < 10
    assert 1 <= settings.cutouts_concurrency < 10
    assert settings.hyperleda_urls == ("http://atlas.obs-hp.fr/hyperleda/fG.cgi",)


async def test_the_api_tells_members_size_source_and_warnings(fakes: FakeSky) -> None:
    urls: dict[str, Any] = {**fakes.urls}
    async with gateway(**urls) as client:
        pair = await client.get("/api/objname/NGC%20545/7")
        assert (pair.status_code, pair.json()["type"]) == (404, "urn:inclinet:problem:unknown-target")
        assert pair.json()["members"] == ["NGC 545", "NGC 547"]
        galaxy = (await client.get("/api/galaxy", params={"name": "2MASX J09260000+1000000"})).json()
        assert galaxy["size_source"] == "SIMBAD (infrared size x 2)"
        assert len(galaxy["warnings"]) == 1
        table = await client.get("/api/galaxy", params={"name": "2MASX J09260000+1000000", "format": "csv"})
        head, row = table.text.strip().split("\n")
        assert head.endswith("size_source,warnings")
        assert "Only an infrared size is known" in row
        # A query's "+" arrives as a blank.
        assert (await client.get("/api/galaxy?name=MCG+07-02-016")).json()["pgc"] == 2557
