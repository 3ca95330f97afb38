"""A survey from what is asked to the table: over the faked sky, on a cluster in this process."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from distributed import Client, LocalCluster

from gateway.settings import Settings
from survey import drive, plan, storage, task
from survey.cluster import OwnNetworks
from survey.errors import SurveyError
from survey.job import Patience
from survey.turns import RATES_PER_S
from tests.support.models import write_repository
from tests.support.pictures import disc, encoded
from tests.support.serving import ServingProcess
from tests.support.sky_fakes import FakeSky
from tests.support.sky_universe import universe
from tests.support.surveys import Silent, rows_of, write_csv
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from survey.drive import Outcome
    from survey.plan import Plan
    from tests.support.models import Repository

pytestmark = pytest.mark.slow

QUICK = Patience(fruitless=3, first_pause_s=0.0, longest_pause_s=0.0, row_s=60.0)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return write_repository(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def serving(release: Repository) -> Iterator[str]:
    with ServingProcess(release.config, release.root / "serving.log") as process:
        yield process.address


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0") as made:
        yield made


@pytest.fixture
def fakes() -> Iterator[FakeSky]:
    universe()  # now, and not while the first question waits
    with FakeSky() as sky:
        yield sky


class Asking:
    """Asks surveys of one release of the fakes."""

    def __init__(self, release: Repository, serving: str, cluster: LocalCluster, fakes: FakeSky) -> None:
        self.settings = Settings(manifest=release.root / "manifest.json", **_mirrors(fakes))
        self._serving = serving
        self._cluster = cluster

    def plan(self, what: Path, out: Path, **changes: Any) -> Plan:
        settings = self.settings.model_copy(update=changes.pop("settings", {}))
        asked = plan.Asked(
            what=str(what),
            out=str(out),
            settings=settings,
            partition_rows=4,
            survey=None,
            r=0.3,
            rates_per_s=dict.fromkeys(RATES_PER_S, 0.0),
            concurrency=4,
            accept_unanswered=False,
            patience=QUICK,
        )
        return plan.make(replace(asked, **changes), serving=(self._serving,))

    def run(self, made: Plan) -> Outcome:
        with Client(self._cluster) as client:
            return drive.run(client, made.job, made.missing, show=Silent(), watch=lambda: None)


def _mirrors(fakes: FakeSky) -> dict[str, Any]:
    return {name: tuple(urls) for name, urls in fakes.urls.items()}


@pytest.fixture
def asking(release: Repository, serving: str, cluster: LocalCluster, fakes: FakeSky) -> Asking:
    return Asking(release, serving, cluster, fakes)


GALAXIES = ["NGC 3351", "UGC 9999X", "NGC 628", "nonesuch", "Arp 999", "NGC 7331", "NGC 4414", "NGC 2403", "NGC 5055"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "table.csv", ["name", "fov"], [(name, 8) for name in GALAXIES])


def test_names_become_a_table_of_galaxies_with_their_inclinations(tmp_path: Path, asking: Asking, table: Path) -> None:
    made = asking.plan(table, tmp_path / "out")
    outcome = asking.run(made)
    assert outcome.failures == {}
    assert {report.number: report.reason for report in outcome.reports} == {0: "", 1: "", 2: ""}
    rows = rows_of(tmp_path / "out")
    assert [row["key"] for row in rows] == GALAXIES
    bad = {row["key"]: row["problem_type"] for row in rows if row["problem_type"]}
    assert bad == {"nonesuch": "unknown-target", "Arp 999": "unknown-target"}
    resolved = rows[5]
    assert (resolved["name"], resolved["pgc"]) == ("NGC 7331", 69327)
    assert resolved["ra_deg"] == pytest.approx(339.267, abs=0.01)
    assert 45 <= resolved["interval68_low_deg"] <= resolved["inclination_deg"] <= resolved["interval68_high_deg"]
    assert (resolved["n_flavors"], resolved["release"]) == (4, "tiny-1")
    assert resolved["image_source"].startswith("SDSS")
    assert asking.plan(table, tmp_path / "out").missing == []


def test_a_service_is_asked_no_faster_than_its_rate(
    tmp_path: Path, asking: Asking, table: Path, fakes: FakeSky
) -> None:
    made = asking.plan(table, tmp_path / "out", rates_per_s={"SkyServer": 10.0})
    began = time.monotonic()
    asking.run(made)
    pictures = len(fakes.skyserver.requests)
    assert pictures >= 7
    assert time.monotonic() - began >= (pictures - 1) / 10


def test_a_service_that_is_down_leaves_its_partitions_for_the_next_run(
    tmp_path: Path, asking: Asking, table: Path, fakes: FakeSky
) -> None:
    fakes.skyserver.fault = "503"
    fakes.skyserver.retry_after = "0"
    outcome = asking.run(asking.plan(table, tmp_path / "out"))
    assert [report.written for report in outcome.reports] == [False, False, False]
    assert "SkyServer" in outcome.reports[0].reason
    assert storage.names(str(tmp_path / "out")) == ["_catalogue.parquet", "_survey.json", task.UNFINISHED]
    fakes.skyserver.fault = None
    fakes.sesame.requests.clear()
    made = asking.plan(table, tmp_path / "out")
    assert len(made.missing) == 3
    assert all(report.written for report in asking.run(made).reports)
    assert [row["key"] for row in rows_of(tmp_path / "out")] == GALAXIES
    assert not [one for one in fakes.sesame.requests if "nonesuch" in one.raw_query], "its answer was final"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"r": 0.2}, "its r is 0.3, not 0.2"),
        ({"survey": "panstarrs"}, "its survey is sdss, not panstarrs"),
        ({"settings": {"sdss_release": 12}}, "its SDSS release is 18, not 12"),
        ({"partition_rows": 5}, "its rows of a partition is 4, not 5"),
    ],
)
def test_another_question_is_refused_before_anything_is_asked(
    tmp_path: Path, asking: Asking, table: Path, changes: dict[str, Any], words: str
) -> None:
    asking.plan(table, tmp_path / "out")
    with pytest.raises(SurveyError, match=words):
        asking.plan(table, tmp_path / "out", **changes)


def test_partitions_are_cut_as_they_were_unless_said_otherwise(tmp_path: Path, asking: Asking, table: Path) -> None:
    first = asking.plan(table, tmp_path / "out")
    assert asking.plan(table, tmp_path / "out", partition_rows=None).partitions == first.partitions


def test_a_partition_that_can_not_be_written_fails_alone(
    tmp_path: Path, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.png").write_bytes(encoded(disc(96, 0.3 + number / 20), "PNG"))
    made = asking.plan(folder, tmp_path / "out")
    write = storage.write

    def full(url: str, data: bytes) -> None:
        if url.endswith("part-000000.parquet"):
            raise OSError(28, "No space left on device")
        write(url, data)

    monkeypatch.setattr(storage, "write", full)
    outcome = asking.run(made)
    assert [report.number for report in outcome.reports] == [1]
    assert "No space left on device" in outcome.failures[0]


def test_a_release_that_is_not_the_one_served_is_refused(
    tmp_path: Path, asking: Asking, table: Path, release: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive, "READY_S", 0.5)
    other = tmp_path / "other.json"
    other.write_text((release.root / "manifest.json").read_text().replace('"version": 1', '"version": 7', 1))
    made = asking.plan(table, tmp_path / "out", settings={"manifest": other})
    with pytest.raises(SurveyError, match="has version 1 of tiny_m0 available; release tiny-1 has version 7"):
        asking.run(made)


def test_a_scheduler_that_goes_away_ends_the_run_with_what_to_do(
    tmp_path: Path, asking: Asking, table: Path, fakes: FakeSky
) -> None:
    made = asking.plan(table, tmp_path / "out")
    fakes.skyserver.delay_s = 600.0
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0") as passing:
        client = Client(passing.scheduler_address, timeout=1)

        def watch() -> None:
            if fakes.skyserver.arrived.is_set():
                passing.close()

        with pytest.raises(SurveyError, match="run the same command again"):
            drive.run(client, made.job, made.missing, show=Silent(), watch=watch)
        client.close()


def test_networks_of_one_s_own_that_die_are_started_again_where_they_were(tmp_path: Path, release: Repository) -> None:
    said: list[str] = []
    with OwnNetworks(release.root / "manifest.json", tmp_path / "serving.log", said.append) as networks:
        address = networks.address
        networks.watch()
        assert said == []
        process = networks._process  # noqa: SLF001 - what dies is nobody else's business
        assert process is not None
        process.kill()
        process.wait()
        networks.watch()
        assert networks.address == address
        assert "started again" in said[0]
        log = tmp_path / "serving.log.2"
        wait_until(lambda: "Running gRPC ModelServer" in log.read_text(), "the networks to run again", 60)
