"""A batch with Dask from what is asked to the table: over the faked sky, on a cluster in this process."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dask
import pytest
from distributed import LocalCluster
from pyarrow import parquet
from rich.console import Console

from batch import storage
from batch.dask import engine
from batch.dask.cluster import DASK_CONFIG, own_networks
from batch.dask.run import OnDask, measure
from batch.errors import BatchError
from batch.fetching.galaxies import Fetching, fetch
from batch.fetching.rates import RATES_PER_S
from batch.outputs import results
from batch.request import BatchRequest
from batch.settle import Patience
from gateway.settings import Settings
from tests.support import hats_catalogues as hats
from tests.support import two_tiles
from tests.support.dask_runs import rows_of, write_csv
from tests.support.models import write_repository
from tests.support.pictures import disc, encoded
from tests.support.s3 import BUCKET, S3Server
from tests.support.serving import ServingProcess
from tests.support.sky_fakes import FakeSky
from tests.support.sky_universe import universe
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from batch.summary import Summary
    from tests.support.models import Repository

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("large libraries")]

QUICK = Patience(fruitless=2, first_pause_s=0.0, longest_pause_s=0.0, row_s=60.0)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return write_repository(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def serving(release: Repository) -> Iterator[str]:
    with ServingProcess(release.config, release.root / "serving.log") as process:
        yield process.address


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    # among other things without the profiler, which in CPython 3.11 can hang a process for ever
    with (
        dask.config.set(DASK_CONFIG),
        LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0") as made,
    ):
        yield made


@pytest.fixture
def fakes() -> Iterator[FakeSky]:
    universe()  # now, and not while the first question waits
    with FakeSky() as sky:
        yield sky


class Asking:
    """Measures with the networks and the archives of the fakes."""

    def __init__(self, release: Repository, serving: str, cluster: LocalCluster, fakes: FakeSky) -> None:
        mirrors: dict[str, Any] = {name: tuple(urls) for name, urls in fakes.urls.items()}
        self.fetching = Fetching(
            settings=Settings(manifest=release.root / "manifest.json", **mirrors),
            rates_per_s=dict.fromkeys(RATES_PER_S, 0.0),
            concurrency=4,
            patience=QUICK,
        )
        self.dask = OnDask(
            scheduler=cluster.scheduler_address,
            serving=(serving,),
            workers={},
            concurrency=4,
            fetching=self.fetching,
        )
        self.said: list[str] = []

    def __call__(
        self, what: Path | str, out: Path | str, *, settings: dict[str, Any] | None = None, **changes: Any
    ) -> Summary:
        mine = {name: changes.pop(name) for name in ("rates_per_s", "accept_unanswered") if name in changes}
        changed = self.fetching.settings.model_copy(update=settings or {})
        fetching = replace(self.fetching, settings=changed, **mine)
        asked = BatchRequest(what=(str(what),), out=str(out), **{"partition_rows": 4, **changes})
        return measure(asked, replace(self.dask, fetching=fetching), Console(file=io.StringIO()), self.said.append)


@pytest.fixture
def asking(release: Repository, serving: str, cluster: LocalCluster, fakes: FakeSky) -> Asking:
    return Asking(release, serving, cluster, fakes)


GALAXIES = ["NGC 3351", "UGC 9999X", "NGC 628", "nonesuch", "Arp 999", "NGC 7331", "NGC 4414", "NGC 2403", "NGC 5055"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "table.csv", ["name", "fov"], [(name, 8) for name in GALAXIES])


def test_the_positions_of_a_hats_catalogue_become_one_of_inclinations(tmp_path: Path, asking: Asking) -> None:
    names = dict(enumerate(["NGC 3351", "NGC 628", "NGC 7331", "NGC 4414", "NGC 2403", "NGC 5055"]))
    places = [(thing.ra, thing.dec) for thing in map(universe().called, names.values()) if thing is not None]
    columns = dict(zip(("objectId", "lon", "lat"), (list(names), *zip(*places, strict=True)), strict=True))
    catalogue = hats.import_catalogue(columns, tmp_path / "galaxies", most=3, ra_column="lon", dec_column="lat")
    summary = asking(catalogue, tmp_path / "out", hats=True)
    assert (summary.rows, summary.tally.answered) == (6, 6)
    assert {row["objectId"]: row["name"] for row in hats.rows_of(hats.opened(tmp_path / "out"))} == names
    assert asking(catalogue, tmp_path / "out", hats=True).measured == 0, "what is done is not asked again"


def test_images_in_a_bucket_are_measured_into_it(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    with S3Server(monkeypatch) as store:
        for number in range(6):
            store.files.pipe_file(f"{BUCKET}/images/{number}.png", encoded(disc(128 + number), "PNG"))
        for measured in (6, 0):
            summary = asking(f"s3://{BUCKET}/images", f"s3://{BUCKET}/out")
            assert (summary.tally.answered, summary.measured) == (6, measured)
        rows = [row for part in "01" for row in results.decoded(f"s3://{BUCKET}/out/part-00000{part}.parquet")[0]]
        assert [row["key"] for row in rows] == [f"{number}.png" for number in range(6)]


def test_galaxies_are_cut_from_tiles_in_a_bucket(
    asking: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with S3Server(monkeypatch) as store:
        (tmp_path / "tiles").mkdir()
        store.files.put(str(two_tiles.write_tiles(tmp_path / "tiles")), f"{BUCKET}/", recursive=True)
        places = [(number, one.ra_deg, one.dec_deg, 0.6) for number, one in enumerate(two_tiles.DISCS)]
        what = write_csv(tmp_path / "table.csv", ["id", "ra", "dec", "d25"], places)
        for measured in (3, 0):
            summary = asking(what, f"s3://{BUCKET}/out", imaging=f"s3://{BUCKET}/tiles")
            assert (summary.tally.answered, summary.measured) == (3, measured)
        store.files.rm(f"{BUCKET}/tiles/1-g.fits.fz")
        with pytest.raises(BatchError, match="holds a batch of other images"):
            asking(what, f"s3://{BUCKET}/out", imaging=f"s3://{BUCKET}/tiles")


def test_names_become_a_table_of_galaxies_with_their_inclinations(
    tmp_path: Path, asking: Asking, table: Path, fakes: FakeSky
) -> None:
    summary = asking(table, tmp_path / "out")
    assert (summary.rows, summary.tally.rows, summary.unanswered, summary.failed_partitions) == (9, 9, 0, 0)
    rows = rows_of(tmp_path / "out")
    assert [row["key"] for row in rows] == GALAXIES
    assert rows[5]["asked"] == "NGC 7331 fov=8"
    bad = {row["key"]: row["problem_type"] for row in rows if row["problem_type"]}
    assert bad == {"nonesuch": "unknown-target", "Arp 999": "unknown-target"}
    resolved = rows[5]
    assert (resolved["name"], resolved["pgc"]) == ("NGC 7331", 69327)
    assert resolved["ra_deg"] == pytest.approx(339.267, abs=0.01)
    assert 45 <= resolved["interval68_low_deg"] <= resolved["inclination_deg"] <= resolved["interval68_high_deg"]
    assert (resolved["n_flavors"], resolved["release"]) == (4, "tiny-1")
    assert resolved["image_source"].startswith("SDSS")
    asked = len(fakes.skyserver.requests)
    assert asking(table, tmp_path / "out").measured == 0
    assert len(fakes.skyserver.requests) == asked, "what is fetched is not asked for again"


def test_what_is_fetched_first_and_measured_later_is_the_same(tmp_path: Path, asking: Asking, table: Path) -> None:
    asked = BatchRequest(what=(str(table),), out=str(tmp_path / "fetched"), partition_rows=4)
    assert fetch(asked, asking.fetching, Console(file=io.StringIO()), asking.said.append).rows == 9
    asking(tmp_path / "fetched", tmp_path / "out.parquet")
    asking(table, tmp_path / "at_once.parquet")
    two_steps, one = (parquet.read_table(tmp_path / name) for name in ("out.parquet", "at_once.parquet"))
    assert two_steps.to_pylist() == one.to_pylist()


def test_a_service_is_asked_no_faster_than_its_rate(
    tmp_path: Path, asking: Asking, table: Path, fakes: FakeSky
) -> None:
    began = time.monotonic()
    asking(table, tmp_path / "out", rates_per_s={**asking.fetching.rates_per_s, "SkyServer": 10.0})
    pictures = len(fakes.skyserver.requests)
    assert pictures >= 7
    assert time.monotonic() - began >= (pictures - 1) / 10


def test_a_service_that_is_down_leaves_its_rows_for_the_next_run(
    tmp_path: Path, asking: Asking, table: Path, fakes: FakeSky
) -> None:
    fakes.skyserver.fault = "503"
    fakes.skyserver.retry_after = "0"
    summary = asking(table, tmp_path / "out")
    assert summary.unanswered == 7
    assert any("SkyServer" in sentence for _, _, sentence in summary.reasons.values())
    assert not list((tmp_path / "out").glob("part-*"))
    fakes.skyserver.fault = None
    fakes.sesame.requests.clear()
    assert asking(table, tmp_path / "out").tally.answered == 7
    assert [row["key"] for row in rows_of(tmp_path / "out")] == GALAXIES
    assert not [one for one in fakes.sesame.requests if "nonesuch" in one.raw_query], "its answer was final"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"settings": {"sdss_release": 12}}, "its SDSS release is 18, not 12"),
        ({"partition_rows": 5}, "its rows of a partition is 4, not 5"),
    ],
)
def test_another_question_is_refused_before_anything_is_asked(
    table: Path, asking: Asking, fakes: FakeSky, changes: dict[str, Any], words: str
) -> None:
    table.write_text("name,fov\nNGC 628,8\n")
    asking(table, table.with_name("out"))
    asked = len(fakes.skyserver.requests)
    with pytest.raises(BatchError, match=words):
        asking(table, table.with_name("out"), **changes)
    assert len(fakes.skyserver.requests) == asked


def test_a_partition_that_can_not_be_written_fails_alone(
    tmp_path: Path, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.png").write_bytes(encoded(disc(96, 0.3 + number / 20), "PNG"))
    write = storage.write

    def full(url: str, data: bytes) -> None:
        if url.endswith("part-000000.parquet"):
            raise OSError(28, "No space left on device")
        write(url, data)

    with monkeypatch.context() as patched:
        patched.setattr(storage, "write", full)
        assert asking(folder, tmp_path / "out").failed_partitions == 1
    assert any("Partition 0 is not written" in said and "No space left" in said for said in asking.said)
    again = asking(folder, tmp_path / "out", partition_rows=None)
    assert (again.measured, again.tally.answered) == (4, 8)


def test_a_release_that_is_not_the_one_served_is_refused(
    tmp_path: Path, asking: Asking, release: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "READY_S", 0.5)
    other = tmp_path / "other.json"
    other.write_text((release.root / "manifest.json").read_text().replace('"version": 1', '"version": 7', 1))
    (tmp_path / "a.png").write_bytes(encoded(disc(96), "PNG"))
    with pytest.raises(BatchError, match="has version 1 of tiny_m0 available; release tiny-1 has version 7"):
        asking(tmp_path / "a.png", tmp_path / "out", settings={"manifest": other})


def test_networks_of_one_s_own_that_die_are_started_again_where_they_were(tmp_path: Path, release: Repository) -> None:
    said: list[str] = []
    log = tmp_path / "serving.log"
    with own_networks(release.root / "manifest.json", log, said.append) as (standin, watch):
        address = standin.address
        watch()
        assert said == []
        standin.process.kill()
        standin.process.wait()
        before = log.read_text().count("Running gRPC ModelServer")
        watch()
        assert standin.address == address
        assert "started again" in said[0]
        wait_until(lambda: log.read_text().count("Running gRPC ModelServer") > before, "the networks to run again", 60)
