"""The zoo under load, and under fire: ``python -m benchmarks.zoo people`` and ``python -m benchmarks.zoo browsers``.

``people`` lets labellers measure by HTTP, faster than people do, on SQLite and on PostgreSQL, in a project that has
been measured before, and tells how long answers took. ``browsers`` lets browsers in Chromium measure at once while the
server is killed and started again and networks are cut, and counts whether every answer arrived once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
import uuid
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import numpy as np
from PIL import Image
from playwright.async_api import Browser, async_playwright
from playwright.async_api import Error as PlaywrightError
from sqlalchemy import func, select

from inclinet_service.local import listen
from tests.support import postgres
from tests.support.browser import chromium
from tests.support.zoo import MODERATOR, bearer, keys_file, said
from zoo.database.engine import Database
from zoo.database.models import LeaseRow, MeasurementRow, PersonRow, StandardRow, TargetRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

TARGETS = 5000


class ZooServer:
    """``inclinet zoo up`` with a database, on the same port at every start."""

    def __init__(self, folder: Path, database: str) -> None:
        with listen("127.0.0.1", 0) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = os.environ | {
            "INCLINET_ZOO_DATABASE": database,
            "INCLINET_ZOO_API_KEYS_FILE": str(keys_file(folder)),
            "INCLINET_ZOO_PICTURES": str(folder),
            "INCLINET_ZOO_LOG_LEVEL": "ERROR",
            "INCLINET_ZOO_TOKENS_PER_MINUTE": "0",
        }
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the server, and wait until it answers."""
        command = ("-m", "inclinet", "zoo", "up", "--port", str(self.port))
        async with httpx.AsyncClient() as client:
            while True:
                # another process may have used the port for an outgoing connection
                if self.process is None or self.process.returncode is not None:
                    self.process = await asyncio.create_subprocess_exec(
                        sys.executable, *command, env=self._environment, stdout=asyncio.subprocess.DEVNULL
                    )
                try:
                    if (await client.get(f"{self.url}/readyz")).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.2)

    async def kill(self) -> None:
        """Kill the server, like a failing machine."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()


@asynccontextmanager
async def zoo(folder: Path, database: str) -> AsyncIterator[ZooServer]:
    """Run a server with a project of many galaxies."""
    Image.effect_noise((256, 256), 60).save(folder / "galaxy.jpg")
    server = ZooServer(folder, database)
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, headers=bearer(MODERATOR), timeout=120) as client:
            (await client.post("/api/projects", json={"slug": "p", "title": "P"})).raise_for_status()
            table = "key,file\n" + "".join(f"g{n},galaxy.jpg\n" for n in range(TARGETS))
            (await client.post("/api/projects/p/targets", content=table)).raise_for_status()
        yield server
    finally:
        await server.kill()


def measured_before(url: str, count: int) -> None:
    """Insert the measurements of a project that has run for a while, by 30 calibrated people."""
    rng = np.random.default_rng(1)
    database = Database(url)
    with database.write() as session:
        people = [PersonRow(key_name=f"before{n}", token_hash=None, created_at=0.0) for n in range(30)]
        session.add_all(people)
        targets = session.scalars(select(TargetRow.id).order_by(TargetRow.id)).all()
        hidden = session.scalars(select(StandardRow).where(StandardRow.role == "hidden")).all()
        session.flush()
        for number in range(count):
            person, standard = people[number % 30], hidden[number // 30] if number < 30 * 40 else None
            target = None if standard else targets[(number // 3) % len(targets)]
            truth = standard.truth_deg if standard else 10 + (target or 0) * 0.618 % 75
            common = {"project_id": 1, "person_id": person.id, "target_id": target, "purpose": "begun"}
            standing = {"standard_id": standard.id if standard else None}
            lease = LeaseRow(code=f"b{number}", given_at=0.0, expires_at=0.0, state="answered", **common, **standing)
            session.add(lease)
            session.flush()
            deg = float(np.clip(truth + rng.normal(0, 4), 0, 90))
            more = {"uuid": str(uuid.uuid4()), "lease_id": lease.id, "inclination_deg": deg, "seconds": 25.0}
            session.add(MeasurementRow(measured_at=0.0, undone_at=None, **common, **standing, **more))
    database.close()


async def labeller(server: ZooServer, pause_s: float, until: float, took: dict[str, list[float]]) -> int:
    """Measure as one person until a given time; return the number of accepted answers."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:

        async def timed(kind: str, method: str, path: str, json: object = None) -> httpx.Response:
            started = time.perf_counter()
            answer = await client.request(method, path, json=json)
            took.setdefault(kind, []).append(time.perf_counter() - started)
            return answer.raise_for_status()

        client.headers.update(bearer((await client.post("/api/people")).json()["token"]))
        answers = 0
        while time.monotonic() < until:
            given = (await timed("next", "POST", "/api/projects/p/next?count=3")).json()
            await timed("picture", "GET", f"/{given[0]['picture']}")
            await asyncio.sleep(random.uniform(0.5, 1.5) * pause_s)  # noqa: S311 - no secret
            body = {"said": [said(given[0]["lease"], 60.0)]}
            answers += (await timed("answer", "POST", "/api/answers", json=body)).json()[0]["status"] == "taken"
        return answers


async def people(options: argparse.Namespace) -> None:
    """Print the latency of many labellers' requests, on both databases."""
    binaries = postgres.programs()
    for kind in ("SQLite", "PostgreSQL"):
        if kind == "PostgreSQL" and binaries is None:
            print("PostgreSQL is not installed here.")
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if kind == "SQLite":
                await load(kind, f"sqlite:///{folder}/zoo.sqlite", folder, options)
            elif binaries is not None:
                with postgres.cluster(binaries) as address:
                    await load(kind, postgres.new_database(address, "zoo"), folder, options)


async def load(kind: str, url: str, folder: Path, options: argparse.Namespace) -> None:
    """Run labellers for a while, and print the quantiles of the latency."""
    async with zoo(folder, url) as server:
        measured_before(url, options.before)
        took: dict[str, list[float]] = {}
        until = time.monotonic() + options.seconds
        crowd = [labeller(server, options.pause, until, took) for _ in range(options.people)]
        answers = sum(await asyncio.gather(*crowd))
        print(f"{kind}: {options.people} people, {answers} answers in {options.seconds:g} s, {options.before} before")
        for name, seconds in sorted(took.items()):
            at50, at99 = np.quantile(seconds, (0.5, 0.99)) * 1000
            print(f"  {name}: median {at50:.0f} ms, p99 {at99:.0f} ms, worst {max(seconds) * 1000:.0f} ms")


async def measure(page: Page, server: ZooServer, answers: int, rng: random.Random) -> int:
    """Measure by keyboard in one browser whose network is cut at times; return the number of answers given."""
    page.set_default_timeout(120_000)
    await page.goto(f"{server.url}/measure?project=p")
    await page.wait_for_selector("#help[open]")
    await page.keyboard.press("Enter")
    for number in range(answers):
        await page.wait_for_selector("#stage:not([hidden])")
        before = await page.get_attribute("#galaxy", "src")
        cut = rng.random() < 0.2
        if cut:
            await page.context.set_offline(offline=True)
        await page.keyboard.press(str(1 + number % 6))
        await page.keyboard.press("Enter")
        if cut:
            # long enough for failed attempts, and to use up the loaded galaxies
            await asyncio.sleep(rng.uniform(0.5, 3))
            await page.context.set_offline(offline=False)
        await page.wait_for_selector(f'#galaxy:not([src="{before}"])', state="attached")
        if rng.random() < 0.1:
            await page.wait_for_selector("#waiting:has-text('are saved')")
            await reopened(page)
    await page.wait_for_selector("#waiting:has-text('are saved')")
    return answers


async def reopened(page: Page) -> None:
    """Reload a page until it is complete, since the server may die while it sends the files."""
    while True:
        with suppress(PlaywrightError):
            await page.reload()
            await page.wait_for_selector("#waiting:has-text('are saved')", timeout=20_000)
            return
        await asyncio.sleep(1)


async def browsers(options: argparse.Namespace) -> None:
    """Print whether every answer of the browsers arrived once while the server was killed again and again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/zoo.sqlite"
        async with zoo(folder, url) as server, async_playwright() as playwright:
            browser: Browser = await playwright.chromium.launch(
                executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
            )
            pages = [await (await browser.new_context()).new_page() for _ in range(options.browsers)]
            rngs = [random.Random(n) for n in range(options.browsers)]  # noqa: S311 - no secrets
            working = asyncio.gather(
                *(measure(page, server, options.answers, rng) for page, rng in zip(pages, rngs, strict=True))
            )
            kills = 0
            while not working.done():
                await asyncio.wait([working], timeout=options.every)
                if not working.done():
                    await server.kill()
                    kills += 1
                    await server.start()
            given = sum(await working)
            await browser.close()
        database = Database(url)
        with database.read() as session:
            standing = select(func.count(MeasurementRow.id), func.count(MeasurementRow.lease_id.distinct()))
            kept, leases = session.execute(standing.where(MeasurementRow.undone_at.is_(None))).one()
        database.close()
        print(f"{options.browsers} browsers gave {given} answers while the server was killed {kills} times.")
        verdict = "all, each once" if kept == given == leases else "WRONG"
        print(f"{kept} answers are in the database, of {leases} galaxies given: {verdict}.")


def main() -> None:
    """Run one of the two benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    by_http = commands.add_parser("people")
    by_http.add_argument("--people", type=int, default=50)
    by_http.add_argument("--seconds", type=float, default=60)
    by_http.add_argument("--pause", type=float, default=5.0, help="Seconds a galaxy; people take 25 or more.")
    by_http.add_argument("--before", type=int, default=15_000, help="Measurements that the project begins with.")
    by_http.set_defaults(run=people)
    by_browser = commands.add_parser("browsers")
    by_browser.add_argument("--browsers", type=int, default=20)
    by_browser.add_argument("--answers", type=int, default=15, help="Of each browser.")
    by_browser.add_argument("--every", type=float, default=10.0, help="Seconds between kills.")
    by_browser.set_defaults(run=browsers)
    options = parser.parse_args()
    asyncio.run(options.run(options))


if __name__ == "__main__":
    main()
