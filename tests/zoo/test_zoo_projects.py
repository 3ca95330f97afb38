"""Projects from tables, galaxies chosen and settled, moderation and what is handed on; on SQLite and PostgreSQL."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from astropy.table import Table

from tests.support.pictures import disc, encoded, fits_file
from tests.support.sky_fakes import FakeSky
from tests.support.sky_universe import universe
from tests.support.zoo import MODERATOR, asked_zoo, bearer, said, truth_of, zoo_settings

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

BOSS = bearer(MODERATOR)
PEOPLE = ("ann", "bob", "cid", "dora")


async def project(client: httpx.AsyncClient, table: str | bytes, **more: Any) -> dict[str, Any]:
    made = await client.post("/api/projects", headers=BOSS, json={"slug": "p", "title": "P", **more})
    assert made.status_code == 201, made.text
    added = await client.post("/api/projects/p/targets", headers=BOSS, content=table)
    assert added.status_code == 200, added.text
    taken: dict[str, Any] = added.json()
    return taken


async def measure(client: httpx.AsyncClient, name: str, *, galaxies: int, deg: float, knows: str = "") -> None:
    """Let a person say the same of all galaxies that there are, or of standards the truth that a database knows."""
    who = bearer(f"inclinet_{name}")
    for _ in range(galaxies):
        given = (await client.post("/api/projects/p/next?count=1", headers=who)).json()
        if not given:
            return
        truth = truth_of(knows, given[0]["lease"]) if knows else None
        answer = said(given[0]["lease"], deg if truth is None else truth)
        assert (await client.post("/api/answers", headers=who, json={"said": [answer]})).json()[0]["status"] == "taken"


async def test_a_table_becomes_targets_and_its_bad_rows_are_told(database: str, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.png").write_bytes(encoded(disc(128), "PNG"))
    async with asked_zoo(zoo_settings(database, tmp_path, pictures=tmp_path / "own")) as client:
        table = "key,file,pgc\na,a.png,\nb,../keys,\nc,,12\nd,,twelve\ne,,\n"
        taken = await project(client, table)
        assert (taken["taken"], taken["known"], taken["left_out"]) == (2, 0, 3)
        assert taken["reasons"][0].startswith("Row 2: There is no picture ../keys")
        again = await client.post("/api/projects/p/targets", headers=BOSS, content=table)
        assert again.json()["known"] == 2
        broken = await client.post("/api/projects/p/targets", headers=BOSS, content=b"\x00\x01")
        assert broken.status_code == 422
        assert broken.json()["type"] == "urn:inclinet:problem:bad-table"


async def test_pictures_come_from_own_files_of_any_kind_and_from_the_sky(tmp_path: Path) -> None:
    universe()
    own = tmp_path / "own"
    own.mkdir()
    (own / "a.fits").write_bytes(fits_file(disc(128)[..., 0].astype(np.float32)))
    settings = zoo_settings(f"sqlite:///{tmp_path}/zoo.sqlite", tmp_path, pictures=own, practice=0, log_level="ERROR")
    with FakeSky() as sky:
        async with asked_zoo(settings, sky.settings()) as client:
            await project(client, "key,file,ra,dec,fov\na,a.fits,,,\nb,,184.74,47.3,3\n")
            await measure(client, "moderator", galaxies=30, deg=60.0)
            given = (await client.post("/api/projects/p/next?count=10", headers=BOSS)).json()
            pictures = [await client.get(f"/{one['picture']}") for one in given]
            media = {one.headers["content-type"] for one in pictures}
            # a hidden standard may come between the two
            assert media - {"image/webp"} == {"image/jpeg", "image/png"}


async def test_real_standards_are_compared_with_their_uncertainty_told_and_test_nobody(
    database: str, tmp_path: Path
) -> None:
    universe()
    own = tmp_path / "own"
    own.mkdir()
    (own / "a.png").write_bytes(encoded(disc(128), "PNG"))
    settings = zoo_settings(database, tmp_path, "ann", pictures=own, practice=0)
    with FakeSky() as sky:
        async with asked_zoo(settings, sky.settings()) as client:
            await project(client, "pgc\n1\n")
            hidden = len((await client.get("/api/standards", headers=BOSS)).json())
            table = "key,pgc,file,inclination_deg,stdev_deg\nM 106,39600,,68,2\nmine,,a.png,50,1.5\nx,5,,68,\ny,6,,,2\n"
            added = (await client.post("/api/standards", headers=BOSS, content=table)).json()
            assert (hidden, added["taken"], added["known"], added["left_out"]) == (0, 2, 0, 2)
            again = "key,pgc,inclination_deg,stdev_deg\nM 106,39600,67.5,2.5\n"
            assert (await client.post("/api/standards", headers=BOSS, content=again)).json()["known"] == 1
            shown = (await client.get("/api/projects/p/standards")).json()
            assert shown == sorted(shown, key=lambda one: one["truth_deg"])
            real = [one for one in shown if one["stdev_deg"] > 0]
            assert [(one["name"], one["truth_deg"], one["stdev_deg"]) for one in real] == [
                ("mine", 50, 1.5),
                ("M 106", 67.5, 2.5),
            ]
            media = [(await client.get(f"/{one['picture']}")).headers["content-type"] for one in real]
            assert media == ["image/png", "image/jpeg"]
            mine = f"/api/standards/{real[0]['id']}"
            assert (await client.post(mine, headers=BOSS, json={"shown": False})).json() == {"shown": False}
            assert "mine" not in [one["name"] for one in (await client.get("/api/projects/p/standards")).json()]
            assert [one["shown"] for one in (await client.get("/api/standards", headers=BOSS)).json()] == [False, True]
            simulated = f"/api/standards/{shown[0]['id']}"
            assert (await client.post(simulated, headers=BOSS, json={"shown": False})).status_code == 404
            for path in ("/api/standards", mine):
                refused = await client.post(path, headers=bearer("inclinet_ann"), json={"shown": True})
                assert refused.status_code == 403


async def test_a_slug_is_taken_once_and_others_than_moderators_make_nothing(tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(f"sqlite:///{tmp_path}/zoo.sqlite", tmp_path, "ann")) as client:
        await project(client, "pgc\n1\n")
        again = await client.post("/api/projects", headers=BOSS, json={"slug": "p", "title": "P"})
        assert (again.status_code, again.json()["type"]) == (409, "urn:inclinet:problem:name-taken")
        narrow = {"slug": "q", "title": "Q", "lowest_deg": 80, "highest_deg": 85}
        assert (await client.post("/api/projects", headers=BOSS, json=narrow)).status_code == 422
        for path in ("/api/projects", "/api/projects/p/targets", "/api/people/1/quarantine"):
            refused = await client.post(path, headers=bearer("inclinet_ann"), json={"slug": "q", "title": "Q"})
            assert refused.status_code in {403, 422}, path
        assert (await client.get("/api/projects/p/moderation", headers=bearer("inclinet_ann"))).status_code == 403


async def test_what_people_measured_is_handed_on_whole(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path, *PEOPLE, practice=0)) as client:
        await project(client, "pgc,inclination_deg,stdev_deg\n11,60,2\n12,61,2\n13,62,2\n")
        for name in PEOPLE[:3]:
            await measure(client, name, galaxies=50, deg=60.0, knows=database)
        read = {}
        for kind in ("csv", "votable"):
            answer = await client.get(f"/api/projects/p/export?table=measurements&format={kind}", headers=BOSS)
            assert answer.status_code == 200
            read[kind] = Table.read(io.BytesIO(answer.content), format="ascii.csv" if kind == "csv" else "votable")
        assert read["csv"].colnames == read["votable"].colnames
        measured = (await client.get("/api/projects/p")).json()["measurements"]
        assert len(read["csv"]) == len(read["votable"]) == measured >= 9


async def test_a_measurement_far_from_what_the_others_say_is_shown_to_moderators_and_stays(
    tmp_path: Path,
) -> None:
    database = f"sqlite:///{tmp_path}/zoo.sqlite"
    async with asked_zoo(zoo_settings(database, tmp_path, *PEOPLE, practice=0)) as client:
        await project(client, "pgc\n11\n")
        for name, deg in zip(PEOPLE, (60.0, 10.0, 61.0, 62.0), strict=True):
            await measure(client, name, galaxies=40, deg=deg, knows=database)
        found = (await client.get("/api/projects/p/moderation", headers=BOSS)).json()["outliers"]
        assert [(one["name"], one["person_name"], one["inclination_deg"]) for one in found] == [("PGC 11", "bob", 10)]
        assert found[0]["residual_deg"] == pytest.approx(10 - found[0]["label_deg"], abs=3)
        assert found[0]["scales"] < -5
        assert (await client.get("/api/projects/p")).json()["measurements"] >= 3


async def test_a_galaxy_that_a_moderator_closed_is_given_to_nobody_until_it_is_opened(
    database: str, tmp_path: Path
) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path, *PEOPLE, practice=0)) as client:
        await project(client, "pgc\n11\n")
        await measure(client, "ann", galaxies=40, deg=60.0)
        assert (await client.get("/api/projects/p")).json()["measurements"] == 1
        closed = await client.post("/api/projects/p/targets/1", headers=BOSS, json={"closed": "excluded"})
        assert closed.json() == {"closed": "excluded"}
        assert (await client.get("/api/projects/p")).json()["done"] == 1
        await measure(client, "bob", galaxies=40, deg=60.0)
        assert (await client.get("/api/projects/p")).json()["measurements"] == 1
        await client.post("/api/projects/p/targets/1", headers=BOSS, json={"closed": ""})
        await measure(client, "bob", galaxies=40, deg=60.0)
        assert (await client.get("/api/projects/p")).json()["measurements"] == 2
        assert (
            await client.post("/api/projects/p/targets/99", headers=BOSS, json={"closed": "done"})
        ).status_code == 404


async def test_a_person_whom_a_moderator_sets_aside_counts_no_more_and_then_again(
    database: str, tmp_path: Path
) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path, *PEOPLE, practice=0)) as client:
        await project(client, "pgc\n11\n12\n")
        await measure(client, "ann", galaxies=5, deg=60.0)
        people = (await client.get("/api/projects/p/moderation", headers=BOSS)).json()["people"]
        ann = next(one["person"] for one in people if one["name"] == "ann")
        decided = await client.post(
            f"/api/people/{ann}/quarantine", headers=BOSS, json={"quarantined": True, "reason": "always 60"}
        )
        assert decided.status_code == 200
        assert (await client.get("/api/me", headers=bearer("inclinet_ann"))).json()["quarantined"]
        people = (await client.get("/api/projects/p/moderation", headers=BOSS)).json()["people"]
        assert next(one["reason"] for one in people if one["person"] == ann) == "always 60"
        assert (
            await client.post("/api/people/99/quarantine", headers=BOSS, json={"quarantined": True})
        ).status_code == 404


async def test_agreement_of_few_people_is_told_to_be_unknown(tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(f"sqlite:///{tmp_path}/zoo.sqlite", tmp_path, "ann")) as client:
        await project(client, "pgc\n11\n")
        found = (await client.get("/api/projects/p/agreement", headers=BOSS)).json()
        assert found["label_noise_deg"] is None
        assert found["groups"]["galaxies"] == 0


async def test_the_api_is_described_and_everything_that_the_platform_asks_is_answered(tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(f"sqlite:///{tmp_path}/zoo.sqlite", tmp_path, root_path="/zoo")) as client:
        described = (await client.get("/openapi.json")).json()
        assert "/api/projects/{slug}/next" in described["paths"]
        for path in ("/livez", "/readyz", "/metrics", "/docs", "/", "/measure", "/results", "/me", "/moderation"):
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert "default-src 'self'" in answer.headers["content-security-policy"]
