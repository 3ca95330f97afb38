"""What a browser asks and says, on SQLite and PostgreSQL: galaxies, pictures, answers, and answers taken back."""

from __future__ import annotations

import asyncio
import io
import uuid
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.support.zoo import MODERATOR, asked_zoo, bearer, said, zoo_settings

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


async def begun(client: httpx.AsyncClient, slug: str = "p", **project: Any) -> dict[str, str]:
    """Make a project and a person without a name; return the person's header."""
    made = await client.post("/api/projects", headers=bearer(MODERATOR), json={"slug": slug, "title": "P", **project})
    assert made.status_code == 201, made.text
    return bearer((await client.post("/api/people")).json()["token"])


async def given(client: httpx.AsyncClient, person: dict[str, str], count: int = 3) -> list[dict[str, Any]]:
    answer = await client.post(f"/api/projects/p/next?count={count}", headers=person)
    assert answer.status_code == 200, answer.text
    galaxies: list[dict[str, Any]] = answer.json()
    return galaxies


async def told(client: httpx.AsyncClient, person: dict[str, str], *entries: dict[str, Any]) -> list[str]:
    answer = await client.post("/api/answers", headers=person, json={"said": entries})
    assert answer.status_code == 200, answer.text
    return [one["status"] for one in answer.json()]


async def measured(client: httpx.AsyncClient, person: dict[str, str]) -> int:
    return int((await client.get("/api/me", headers=person)).json()["measured"])


async def test_practice_comes_first_and_tells_the_truth_then_nothing_does(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path, practice=2)) as client:
        person = await begun(client)
        galaxies = await given(client, person)
        assert [one["practice"] for one in galaxies] == [True, True, False]
        assert all(0 <= one["truth_deg"] <= 90 for one in galaxies[:2])
        assert galaxies[2]["truth_deg"] is None
        assert len({one["lease"] for one in galaxies}) == 3


async def test_standards_lie_within_the_range_of_the_project(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path)) as client:
        person = await begun(client, lowest_deg=45, highest_deg=90)
        assert all(one["truth_deg"] >= 45 for one in await given(client, person, 5))
        lattice = [one["truth_deg"] for one in (await client.get("/api/projects/p/standards")).json()]
        assert lattice == sorted(lattice)
        assert 44.4 < lattice[0] < 45.1
        assert lattice[-1] == 90


async def test_a_seed_decides_which_galaxies_people_are_given(tmp_path: Path) -> None:
    shown = []
    for number, seed in enumerate((7, 7, 8)):
        settings = zoo_settings(f"sqlite:///{tmp_path}/{number}.sqlite", tmp_path, practice=3)
        async with asked_zoo(settings, seed=seed) as client:
            galaxies = await given(client, await begun(client), 10)
            shown.append([(await client.get(f"/{one['picture']}")).content for one in galaxies])
    assert shown[0] == shown[1] != shown[2]


async def test_galaxies_that_were_given_are_given_again_until_they_are_answered(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path)) as client:
        person = await begun(client)
        first = await given(client, person)
        assert await given(client, person) == first
        await told(client, person, said(first[0]["lease"], 50.0), {"kind": "skip", "lease": first[1]["lease"]})
        again = await given(client, person)
        assert again[0] == first[2]
        assert not {one["lease"] for one in again} & {first[0]["lease"], first[1]["lease"]}


async def test_windows_that_ask_at_once_get_the_same_galaxies(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path)) as client:
        person = await begun(client)
        first, *others = await asyncio.gather(*(given(client, person, 4) for _ in range(6)))
        assert others == [first] * 5


async def test_a_picture_is_shown_to_whoever_knows_its_code_and_says_nothing_else(
    database: str, tmp_path: Path
) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path)) as client:
        galaxy = (await given(client, await begun(client), 1))[0]
        picture = await client.get(f"/{galaxy['picture']}")
        assert Image.open(io.BytesIO(picture.content)).size == (384, 384)
        assert "name" not in str(picture.headers)
        assert (await client.get("/api/pictures/other")).status_code == 404
        standards = (await client.get("/api/projects/p/standards")).json()
        assert (await client.get(f"/{standards[0]['picture']}")).headers["content-type"] == "image/webp"
        hidden = max(one["id"] for one in standards) + 1
        assert (await client.get(f"/api/standards/{hidden}")).status_code == 404


async def test_an_answer_counts_once_however_often_it_is_sent(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path)) as client:
        person = await begun(client)
        first, second, _ = await given(client, person)
        answer = said(first["lease"], 61.5)
        assert await told(client, person, answer, answer) == ["taken", "known"]
        queue = [answer, said(second["lease"], None, "face_on")]
        several = await asyncio.gather(*(told(client, person, *queue) for _ in range(8)))
        assert sorted(one[1] for one in several) == ["known"] * 7 + ["taken"]
        assert await measured(client, person) == 2
        assert await told(client, person, said(first["lease"], 10.0)) == ["refused"]


async def test_an_answer_taken_back_gives_its_galaxy_again_and_nothing_is_counted(
    database: str, tmp_path: Path
) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path)) as client:
        person = await begun(client)
        galaxy = (await given(client, person, 1))[0]
        wrong, right = said(galaxy["lease"], 10.0), said(galaxy["lease"], 70.0, "not_sure")
        undo = {"kind": "undo", "of": wrong["uuid"]}
        assert await told(client, person, wrong, undo, undo) == ["taken", "taken", "known"]
        assert (await given(client, person, 1))[0] == galaxy
        assert await measured(client, person) == 0
        assert await told(client, person, wrong, right) == ["known", "taken"]
        assert await measured(client, person) == 1
        assert await told(client, person, {"kind": "undo", "of": str(uuid.uuid4())}) == ["refused"]


async def test_only_the_last_twenty_answers_are_taken_back(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path)) as client:
        person = await begun(client)
        answers: list[dict[str, Any]] = []
        for _ in range(3):
            answers += [said(galaxy["lease"], 45.0) for galaxy in await given(client, person, 7)]
            await told(client, person, *answers[-7:])
        undo = [{"kind": "undo", "of": one["uuid"]} for one in answers]
        assert await told(client, person, undo[0], undo[1], undo[0]) == ["refused", "taken", "taken"]


async def test_nobody_answers_for_another(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path, "ann")) as client:
        person = await begun(client)
        galaxy = (await given(client, person, 1))[0]
        answer = said(galaxy["lease"], 50.0)
        assert await told(client, bearer("inclinet_ann"), answer) == ["refused"]
        assert await told(client, person, answer) == ["taken"]
        assert await told(client, bearer("inclinet_ann"), answer, {"kind": "undo", "of": answer["uuid"]}) == [
            "refused",
            "refused",
        ]


async def test_an_answer_says_an_inclination_or_why_there_is_none(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path)) as client:
        person = await begun(client)
        lease = (await given(client, person, 1))[0]["lease"]
        for wrong in (
            said(lease, None),
            said(lease, None, "not_sure"),
            said(lease, 50.0, "face_on"),
            said(lease, 91.0),
            said(lease, 50.0, "lovely"),
            said(lease, 50.0, person=3),
        ):
            refused = await client.post("/api/answers", headers=person, json={"said": [wrong]})
            assert refused.status_code == 422
            assert refused.json()["type"] == "urn:inclinet:problem:bad-request"
        assert await measured(client, person) == 0


async def test_a_forgotten_person_is_unknown_and_the_measurements_stay(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path, "ann", practice=0)) as client:
        person = await begun(client)
        for who in (person, bearer("inclinet_ann")):
            galaxy = (await given(client, who, 1))[0]
            assert await told(client, who, said(galaxy["lease"], 50.0)) == ["taken"]
            assert (await client.delete("/api/me", headers=who)).status_code == 204
        assert (await client.get("/api/me", headers=person)).status_code == 401
        assert await measured(client, bearer("inclinet_ann")) == 0
        seen = (await client.get("/api/projects/p/moderation", headers=bearer(MODERATOR))).json()["people"]
        assert [(one["name"], one["measured"]) for one in seen] == [("", 1), ("", 1)]


async def test_who_is_not_known_is_told_so(database: str, tmp_path: Path) -> None:
    async with asked_zoo(zoo_settings(database, tmp_path, anonymous=False)) as client:
        assert (await client.get("/api/me")).status_code == 401
        assert (await client.get("/api/me", headers=bearer("inclinet_wrong"))).status_code == 401
        assert (await client.post("/api/people")).status_code == 401
        assert (await client.post("/api/projects/none/next", headers=bearer(MODERATOR))).status_code == 404


async def test_clients_above_their_rate_are_told_when_to_come_again(tmp_path: Path) -> None:
    settings = zoo_settings(f"sqlite:///{tmp_path}/zoo.sqlite", tmp_path, rate_limit_per_minute=2, tokens_per_minute=1)
    async with asked_zoo(settings) as client:
        person = bearer((await client.post("/api/people")).json()["token"])
        assert (await client.post("/api/people")).status_code == 429
        answers = [await client.get("/api/me", headers=person) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert int(answers[2].headers["retry-after"]) >= 1
