"""Whatever dies at whatever moment, the next run ends with every row exactly once and asks nothing that is done."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch import storage
from batch.outputs.partitions import Folder, Partition
from batch.settle import Outcome, Patience, Settler
from gateway.core import errors
from gateway.core.models import Target
from gateway.tables.cells.rows import Row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from pathlib import Path

PARTITIONS = [Partition(number, "c", 4 * number, 4 * number + 4, 4 * number) for number in range(3)]
ROWS = {one.number: [Row(n, f"g{n}", Target(pgc=n + 1)) for n in range(one.first, one.first + 4)] for one in PARTITIONS}
QUICK = Patience(fruitless=2, first_pause_s=0.0, longest_pause_s=0.0)


class Killed(BaseException):
    """The process is gone: nothing more is written."""


class World:
    """Runs a batch, and kills it at its ``dies_at``-th step; a step is an answer, or the moments around a write."""

    def __init__(self, folder: Path) -> None:
        self.folder = Folder(str(folder), {"batch": "f00d"})
        self.asked: Counter[int] = Counter()
        self.dies_at = -1
        self.steps = 0
        self.write = storage.write

    def step(self) -> None:
        if self.steps >= self.dies_at >= 0:
            raise Killed
        self.steps += 1

    def written(self, url: str, data: bytes) -> None:
        self.step()
        self.write(url, data)
        self.step()

    async def ask(self, rows: Sequence[Row]) -> AsyncGenerator[Outcome]:
        for row in rows:
            self.step()
            self.asked[row.number] += 1
            if row.number % 5 == 3 and self.asked[row.number] == 1:
                yield Outcome.of(row, errors.QuorumLost("The networks are away."))
            elif row.number % 7 == 2:
                yield Outcome.of(row, errors.BadImage("It is torn."))
            else:
                yield Outcome(row, {"inclination_deg": 45.0 + row.number})

    def run(self, dies_at: int) -> set[int]:
        """Run until the end or death; return the numbers of the partitions that were done before."""
        self.dies_at, self.steps = dies_at, 0
        done = set(self.folder.done(PARTITIONS))
        settler = Settler(self.folder, QUICK, 2, accept_unanswered=False, tell=lambda _number, _rows: None)

        async def everything() -> None:
            for partition in PARTITIONS:
                if partition.number not in done:
                    await settler.settle(partition, ROWS[partition.number], self.ask)

        with suppress(Killed):
            asyncio.run(everything())
        return done


@given(deaths=st.lists(st.integers(0, 25), max_size=5))
def test_a_run_that_dies_at_any_moments_ends_with_every_row_once(
    tmp_path_factory: pytest.TempPathFactory, deaths: list[int]
) -> None:
    world = World(tmp_path_factory.mktemp("batch"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(storage, "write", world.written)
        for death in (*deaths, -1):
            before = world.asked.copy()
            done = world.run(death)
            asked = world.asked - before
            assert not {number for number in asked if number // 4 in done}, "what is done is not asked again"
    assert world.folder.done(PARTITIONS).keys() == {0, 1, 2}
    rows = [row for partition in PARTITIONS for row in world.folder.rows(partition)]
    assert [row["row"] for row in rows] == list(range(12))
    for row in rows:
        bad = row["row"] % 7 == 2
        assert row["problem_type"] == ("bad-image" if bad else None)
        assert row["inclination_deg"] == (None if bad else 45.0 + row["row"])
