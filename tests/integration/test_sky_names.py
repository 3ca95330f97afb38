"""From names, numbers and positions to galaxies, with the services faked over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.core import errors
from gateway.core.models import Deadline
from gateway.sky.catalogues.operator_file import CatalogueFileError
from tests.support.sky_client import soon

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.sky import Sky
    from tests.support.sky_fakes import FakeSky
    from tests.support.sky_http import Fault

# Objects of the fake universe that no offline catalogue has.
ONLY_ONLINE = "UGC 9999X"
WITHOUT_NUMBER = "2MASX J08375604+3014526"


@pytest.mark.parametrize("name", ["M31", "NGC 224", "ngc224", "UGC 454", "IC 342", "Sombrero", "PGC 2557", "LEDA 2557"])
async def test_what_the_offline_catalogue_knows_needs_no_call(sky: Sky, fakes: FakeSky, name: str) -> None:
    galaxy = await sky.resolver.by_name(name, deadline=soon())
    assert galaxy.pgc in {2557, 13826, 42407}
    assert galaxy.d25_arcmin
    assert fakes.calls == {}


async def test_another_name_takes_sesame_and_hyperleda_one_call_each(sky: Sky, fakes: FakeSky) -> None:
    galaxy = await sky.resolver.by_name(ONLY_ONLINE, deadline=soon())
    assert (galaxy.name, galaxy.pgc, galaxy.d25_arcmin, galaxy.position_angle_deg) == (ONLY_ONLINE, 2999999, 1.9, 40.0)
    assert galaxy.axis_ratio == pytest.approx(0.35, abs=1e-3)
    assert (galaxy.ra_deg, galaxy.dec_deg) == pytest.approx((235.5, 52.5), abs=1e-4)
    assert fakes.calls == {"sesame": 1, "hyperleda": 1}


async def test_a_galaxy_without_a_number_is_sized_by_simbad(sky: Sky, fakes: FakeSky) -> None:
    galaxy = await sky.resolver.by_name(WITHOUT_NUMBER, deadline=soon())
    assert (galaxy.pgc, galaxy.d25_arcmin, galaxy.position_angle_deg) == (None, 0.6, 80.0)
    assert fakes.calls == {"sesame": 1, "simbad": 1}


async def test_a_size_that_nobody_needs_is_not_asked_for(sky: Sky, fakes: FakeSky) -> None:
    galaxy = await sky.resolver.by_name(ONLY_ONLINE, deadline=soon(), sized=False)
    assert galaxy.d25_arcmin is None
    assert fakes.calls == {"sesame": 1}


async def test_the_operator_s_file_spares_the_second_call(fakes: FakeSky, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("pgc,ra,dec,diameter\n2999999,235.5,52.5,2.5\n", encoding="utf-8")
    async with fakes.opened(catalogue=path) as sky:
        assert (await sky.resolver.by_name(ONLY_ONLINE, deadline=soon())).d25_arcmin == 2.5
        assert (await sky.resolver.by_pgc(2999999, deadline=soon())).d25_arcmin == 2.5
    assert fakes.calls == {"sesame": 1}


async def test_an_unusable_file_of_the_operator_is_told_at_start(fakes: FakeSky, tmp_path: Path) -> None:
    async with fakes.opened(catalogue=tmp_path / "absent.csv") as sky:
        with pytest.raises(CatalogueFileError, match=r"absent\.csv"):
            await sky.warm()


async def test_an_unknown_name_takes_one_call_and_suggests_the_likest(sky: Sky, fakes: FakeSky) -> None:
    with pytest.raises(errors.UnknownTarget) as told:
        await sky.resolver.by_name("Sombrerro", deadline=soon())
    assert told.value.extra["suggestions"] == ["Sombrero Galaxy"]
    assert fakes.calls == {"sesame": 1}


async def test_what_is_no_galaxy_is_told(sky: Sky) -> None:
    with pytest.raises(errors.NotAGalaxy, match="not a galaxy"):
        await sky.resolver.by_name("TYC 1234-567-1", deadline=soon())


@pytest.mark.parametrize("fault", ["500", "html", "truncated", "wrong_type", "hang_up", "down", "databases"])
async def test_without_sesame_simbad_answers_alone(sky: Sky, fakes: FakeSky, fault: Fault) -> None:
    if str(fault) == "down":
        fakes.sesame.down()
    elif str(fault) == "databases":
        fakes.sesame.unreachable = True
    else:
        fakes.sesame.fault = fault
    galaxy = await sky.resolver.by_name(ONLY_ONLINE, deadline=soon())
    assert (galaxy.source, galaxy.d25_arcmin, galaxy.pgc) == ("SIMBAD", 1.9, 2999999)
    assert len(fakes.simbad.requests) == 1


async def test_without_sesame_and_simbad_ned_answers(sky: Sky, fakes: FakeSky) -> None:
    fakes.sesame.fault = fakes.simbad.fault = "html"
    galaxy = await sky.resolver.by_name(ONLY_ONLINE, deadline=soon(), sized=False)
    assert (galaxy.source, galaxy.name) == ("NED", ONLY_ONLINE)


async def test_a_slow_sesame_leaves_time_for_simbad(sky: Sky, fakes: FakeSky) -> None:
    fakes.sesame.delay_s = 600
    deadline = Deadline.after(6)
    galaxy = await sky.resolver.by_name(ONLY_ONLINE, deadline=deadline)
    assert galaxy.source == "SIMBAD"
    assert deadline.remaining_s() > 0


async def test_silence_of_the_others_does_not_make_a_name_unknown(sky: Sky, fakes: FakeSky) -> None:
    fakes.sesame.fault, fakes.simbad.fault = "500", "html"
    with pytest.raises(errors.UpstreamUnavailable, match="Sesame"):
        await sky.resolver.by_name("nonesuch", deadline=soon())


async def test_unknown_to_both_simbad_and_ned_is_unknown(sky: Sky, fakes: FakeSky) -> None:
    fakes.sesame.fault = "html"
    with pytest.raises(errors.UnknownTarget):
        await sky.resolver.by_name("nonesuch", deadline=soon())


async def test_ambiguous_to_ned_is_unknown_with_suggestions(sky: Sky, fakes: FakeSky) -> None:
    fakes.sesame.fault = fakes.simbad.fault = "html"
    fakes.ned.ambiguous = frozenset({"Sombrerro"})
    with pytest.raises(errors.UnknownTarget, match="ambiguous") as told:
        await sky.resolver.by_name("Sombrerro", deadline=soon())
    assert told.value.extra["suggestions"] == ["Sombrero Galaxy"]


async def test_trouble_on_the_way_to_the_size_is_told(sky: Sky, fakes: FakeSky) -> None:
    fakes.hyperleda.fault = fakes.vizier.fault = fakes.simbad.fault = "html"
    with pytest.raises(errors.UpstreamBroken, match="HyperLEDA"):
        await sky.resolver.by_name(ONLY_ONLINE, deadline=soon())


async def test_a_number_takes_hyperleda_one_call(sky: Sky, fakes: FakeSky) -> None:
    galaxy = await sky.resolver.by_pgc(2999999, deadline=soon())
    assert (galaxy.name, galaxy.d25_arcmin) == (ONLY_ONLINE, 1.9)
    assert fakes.calls == {"hyperleda": 1}


async def test_without_hyperleda_the_old_copy_then_simbad_answers(sky: Sky, fakes: FakeSky) -> None:
    fakes.hyperleda.fault = "html"
    fakes.vizier.newest = 3_000_000
    assert (await sky.resolver.by_pgc(2999999, deadline=soon())).source == "HyperLEDA"
    assert fakes.calls == {"hyperleda": 1, "vizier": 1}
    fakes.vizier.newest = 1_000_000
    assert (await sky.resolver.by_pgc(2999999, deadline=soon())).source == "SIMBAD"


async def test_an_unknown_number_is_unknown_only_when_hyperleda_said_so(sky: Sky, fakes: FakeSky) -> None:
    with pytest.raises(errors.UnknownTarget, match="PGC 9999999"):
        await sky.resolver.by_pgc(9999999, deadline=soon())
    assert fakes.calls == {"hyperleda": 1, "simbad": 1}
    fakes.hyperleda.fault = "500"
    with pytest.raises(errors.UpstreamUnavailable, match="HyperLEDA"):
        await sky.resolver.by_pgc(9999999, deadline=soon())


@pytest.mark.parametrize("pgc", [0, -5, 10_000_001])
async def test_impossible_numbers_ask_nobody(sky: Sky, fakes: FakeSky, pgc: int) -> None:
    with pytest.raises(errors.BadTarget):
        await sky.resolver.by_pgc(pgc, deadline=soon())
    assert fakes.calls == {}


async def test_a_position_that_the_offline_catalogue_knows_needs_no_call(sky: Sky, fakes: FakeSky) -> None:
    galaxy = await sky.resolver.at(10.68, 41.27, deadline=soon())
    assert galaxy is not None
    assert galaxy.name == "NGC 224"
    assert fakes.calls == {}


@pytest.mark.parametrize("sexagesimal", [False, True])
async def test_another_position_takes_vizier_one_call(sky: Sky, fakes: FakeSky, *, sexagesimal: bool) -> None:
    fakes.vizier.newest, fakes.vizier.sexagesimal = 3_000_000, sexagesimal
    galaxy = await sky.resolver.at(235.5005, 52.5003, deadline=soon())
    assert galaxy is not None
    assert (galaxy.pgc, galaxy.d25_arcmin) == (2999999, 1.9)
    assert fakes.calls == {"vizier": 1}


async def test_what_vizier_does_not_list_simbad_may(sky: Sky, fakes: FakeSky) -> None:
    galaxy = await sky.resolver.at(129.4835, 30.2479, deadline=soon())
    assert galaxy is not None
    assert (galaxy.name, galaxy.source) == (WITHOUT_NUMBER, "SIMBAD")
    assert fakes.calls == {"vizier": 1, "simbad": 1}


async def test_a_star_at_the_position_is_not_meant(sky: Sky) -> None:
    assert await sky.resolver.at(66.0, 20.0, deadline=soon()) is None


async def test_trouble_does_not_make_a_position_empty(sky: Sky, fakes: FakeSky) -> None:
    fakes.vizier.fault = "html"
    assert await sky.resolver.at(235.5, 52.5, deadline=soon()) is not None
    with pytest.raises(errors.UpstreamBroken, match="VizieR"):
        await sky.resolver.at(10.0, -5.0, deadline=soon())


async def test_with_the_network_gone_catalogue_and_cache_still_answer(fakes: FakeSky, tmp_path: Path) -> None:
    async with fakes.opened(cache_dir=tmp_path) as sky:
        before = await sky.resolver.by_name(ONLY_ONLINE, deadline=soon())
    for fake in fakes.services.values():
        fake.down()
    async with fakes.opened(cache_dir=tmp_path) as sky:
        assert await sky.resolver.by_name(ONLY_ONLINE, deadline=soon()) == before
        assert (await sky.resolver.by_name("M 51", deadline=soon())).pgc == 47404
        assert (await sky.resolver.near(202.4696, 47.1952)) is not None
        with pytest.raises(errors.UpstreamUnavailable, match="Sesame") as told:
            await sky.resolver.by_name("UGC 99999", deadline=soon())
    assert told.value.retry_after_s
