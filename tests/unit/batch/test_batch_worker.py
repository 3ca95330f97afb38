"""A partition: every row asked until it has a final answer, then all of them written at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from batch.dask.worker import Job, measure_in
from batch.fetching.galaxies import Fetching
from batch.inputs import catalogue, source
from batch.outputs import results
from batch.outputs.partitions import Folder, Partition
from batch.request import BatchRequest
from batch.settle import Patience
from gateway.core import errors
from gateway.core.models import EnsemblePrediction, FlavorPrediction, RejectorPrediction
from gateway.measure.one import Inclinations
from gateway.settings import Settings
from tests.support.dask_runs import pictures, write_csv
from tests.support.manifests import manifest
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from batch.outputs.results import Tally
    from gateway.core.models import Deadline

RELEASE = manifest(2)
ROWS = 12
DOWN = errors.QuorumLost("The networks are away.", retry_after_s=0.0)


@dataclass
class FakeNetworks:
    """Networks that answer a picture's mean brightness, unless ``trouble`` says otherwise of its number."""

    images: np.ndarray[Any, Any]
    trouble: Callable[[int, int], Exception | None] = lambda _row, _times: None
    asked: Counter[int] = field(default_factory=Counter)

    async def read(self, pixels: np.ndarray[Any, Any], _deadline: Deadline) -> EnsemblePrediction:
        row = int(np.abs(self.images.astype(int).mean(axis=(1, 2, 3)) - pixels.mean()).argmin())
        self.asked[row] += 1
        if (trouble := self.trouble(row, self.asked[row])) is not None:
            raise trouble
        value = 45 + float(pixels.mean()) / 10
        flavors = tuple(FlavorPrediction(model.name, 1, value) for model in RELEASE.flavors)
        return EnsemblePrediction(flavors, (RejectorPrediction("vgg6_reject", 1, 0.1, 0.04, 0.06),))


@dataclass
class DaskPlace:
    """A batch of model inputs in one partition, and what its worker may be told."""

    job: Job
    networks: FakeNetworks
    executor: ThreadPoolExecutor
    partition: Partition
    told: list[int] = field(default_factory=list)

    async def measure(self, **changes: Any) -> Tally:
        inclinations = Inclinations(
            manifest=RELEASE,
            networks=self.networks,
            sky=SimpleNamespace(),  # type: ignore[arg-type]  # no row asks about the sky
            executor=self.executor,
            max_pixels=10**6,
            observe=lambda _stage, _seconds: None,
        )
        job = replace(self.job, **changes)
        return await measure_in(job, inclinations, self.partition, lambda _, rows: self.told.append(rows))

    def rows(self) -> list[dict[str, Any]]:
        return results.decoded(self.job.folder.path(self.partition))[0]

    def files(self) -> list[str]:
        out = Path(self.job.folder.url)
        return sorted(str(path.relative_to(out)) for path in out.rglob("*.parquet"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DaskPlace]:
    images = pictures(ROWS)
    np.save(tmp_path / "images.npy", images)
    job = Job(
        folder=Folder(str(tmp_path / "out"), {"batch": "f00d"}),
        manifest=RELEASE,
        serving=(),
        source=source.find([str(tmp_path / "images.npy")]),
        request=BatchRequest(what=(), out=""),
        fetching=Fetching(
            settings=Settings(serving="127.0.0.1:8500", max_upload_bytes=100_000),
            patience=Patience(fruitless=3, first_pause_s=0.0, longest_pause_s=0.0, row_s=60.0),
        ),
        concurrency=2,
    )
    with ThreadPoolExecutor(1) as executor:
        yield DaskPlace(job, FakeNetworks(images), executor, Partition(3, str(tmp_path / "images.npy"), 0, ROWS, 100))


async def test_every_row_is_written_once_in_order_with_its_answer(place: DaskPlace) -> None:
    report = await place.measure()
    assert report.unanswered == 0
    assert (report.rows, report.answered) == (ROWS, ROWS)
    rows = place.rows()
    assert [row["row"] for row in rows] == list(range(100, 100 + ROWS))
    expected = [round(45 + image.mean() / 10, 2) for image in place.networks.images]
    assert [row["inclination_deg"] for row in rows] == pytest.approx(expected, abs=0.011)
    assert {row["release"] for row in rows} == {RELEASE.release}
    assert place.files() == ["part-000003.parquet"]


async def test_passing_trouble_is_asked_again_and_what_was_answered_is_not(place: DaskPlace) -> None:
    place.networks.trouble = lambda row, times: DOWN if row in {2, 5} and times < 3 else None
    assert (await place.measure()).unanswered == 0
    assert place.networks.asked == Counter({row: 3 if row in {2, 5} else 1 for row in range(ROWS)})
    assert [row["problem"] for row in place.rows()] == [None] * ROWS


async def test_rows_without_an_answer_keep_their_partition_unwritten(place: DaskPlace) -> None:
    place.networks.trouble = lambda row, _times: DOWN if row in {2, 5} else None
    report = await place.measure()
    assert (report.answered, report.unanswered) == (ROWS - 2, 2)
    assert place.files() == ["_unfinished/part-000003.parquet"]


async def test_the_next_run_asks_only_what_stayed_without_an_answer(place: DaskPlace) -> None:
    place.networks.trouble = lambda row, _times: DOWN if row in {2, 5} else None
    await place.measure()
    place.networks.trouble = lambda _row, _times: None
    place.networks.asked.clear()
    assert (await place.measure()).unanswered == 0
    assert place.networks.asked == Counter({2: 1, 5: 1})
    assert [row["row"] for row in place.rows()] == list(range(100, 100 + ROWS))
    assert place.files() == ["part-000003.parquet"]


async def test_rows_without_an_answer_are_written_with_their_reason_where_that_is_accepted(place: DaskPlace) -> None:
    place.networks.trouble = lambda row, _times: DOWN if row == 2 else None
    report = await place.measure(fetching=replace(place.job.fetching, accept_unanswered=True))
    assert report.unanswered == 0
    assert report.problems.keys() == {"quorum-lost"}
    row = place.rows()[2]
    assert (row["problem_type"], row["problem"], row["inclination_deg"]) == (
        "quorum-lost",
        "The networks are away.",
        None,
    )


async def test_what_is_down_is_not_asked_about_every_row(place: DaskPlace) -> None:
    place.networks.trouble = lambda _row, _times: DOWN
    report = await place.measure()
    assert (report.unanswered, report.answered) == (ROWS, 0)
    # three rounds, each broken off after four failures with two rows under way
    assert place.networks.asked.total() < 3 * 8
    assert place.files() == ["_unfinished/part-000003.parquet"]


async def test_patience_begins_anew_with_every_answer(place: DaskPlace) -> None:
    # one more row a round, in more rounds than patience has for those that bring nothing
    place.networks.trouble = lambda row, times: DOWN if times <= row else None
    assert (await place.measure(concurrency=ROWS)).unanswered == 0
    assert place.networks.asked[ROWS - 1] == ROWS


async def test_something_unforeseen_is_not_final_either(place: DaskPlace) -> None:
    place.networks.trouble = lambda row, times: RuntimeError("odd") if (row, times) == (4, 1) else None
    assert (await place.measure()).unanswered == 0
    assert place.networks.asked[4] == 2


async def test_rows_that_can_not_be_answered_are_rows_with_a_problem_and_asked_once(place: DaskPlace) -> None:
    base = Path(place.job.source.base)
    (base / "good.png").write_bytes(encoded(disc(96), "PNG"))
    (base / "cut.png").write_bytes(encoded(disc(96), "PNG")[:200])
    (base / "large.png").write_bytes(b"x" * 100_001)
    (base / "folder.png").mkdir()
    names = ["good.png", "cut.png", "large.png", "folder.png", "none.png", ""]
    path = write_csv(base / "table.csv", ["key", "file", "pgc"], [(f"k{n}", name, "") for n, name in enumerate(names)])
    found = source.find([str(path)])
    (partition,) = catalogue.partitions(catalogue.pieces(found, place.job.folder.url, size=10), 10)
    place.partition = partition
    report = await place.measure(source=found)
    assert report.unanswered == 0
    rows = place.rows()
    kinds = [None, "bad-image", "image-too-large", "bad-target", "bad-target", "bad-target"]
    assert [row["problem_type"] for row in rows] == kinds
    assert [row["key"] for row in rows] == [f"k{n}" for n in range(6)]
    assert rows[0]["inclination_deg"] is not None
    assert "There is no image none.png" in rows[4]["problem"]


async def test_an_image_that_its_store_will_not_give_is_asked_for_again(
    place: DaskPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Path(place.job.source.base)
    (base / "a.png").write_bytes(encoded(disc(96), "PNG"))
    found = source.find([str(write_csv(base / "table.csv", ["file"], [("a.png",)]))])
    (place.partition,) = catalogue.partitions(catalogue.pieces(found, place.job.folder.url, size=10), 10)
    refusals = iter([PermissionError(13, "Permission denied"), OSError(5, "Input/output error")])
    opened = Path.open

    def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "a.png" and (error := next(refusals, None)) is not None:
            raise error
        return opened(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    assert (await place.measure(source=found)).answered == 1
    assert next(refusals, None) is None


async def test_progress_is_told_while_it_goes_on(place: DaskPlace) -> None:
    await place.measure()
    assert place.told == list(range(1, ROWS + 1))
