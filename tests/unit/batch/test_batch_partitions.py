"""A folder belongs to one batch, and a partition of it is done when its file is there, whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from batch import storage
from batch.errors import BatchError
from batch.outputs import partitions, results
from batch.outputs.partitions import Folder, Identity, Partition

if TYPE_CHECKING:
    from pathlib import Path

IDENTITY = Identity("f00d", 2, "2026.1", {"survey": "sdss", "r": 0.3, "manifest": "cafe"})
PARTITIONS = [Partition(0, "c", 0, 2, 0), Partition(1, "c", 2, 4, 2), Partition(2, "c", 4, 5, 4)]


def folder_of(path: Path, identity: Identity = IDENTITY, **changes: Any) -> Folder:
    return Folder(str(path), {"batch": identity.digest, "release": identity.release}, **changes)


def records(partition: Partition, *, failed: tuple[int, ...] = ()) -> dict[int, dict[str, Any]]:
    empty = dict.fromkeys(column.name for column in results.COLUMNS)
    rows = {
        number: empty | {"row": number, "key": f"g{number}"}
        for number in range(partition.first, partition.first + partition.rows)
    }
    for number in failed:
        rows[number] |= {"problem_type": "bad-image", "problem": "It is torn."}
    return rows


def test_the_same_batch_is_let_in_again_wherever_its_table_lies(tmp_path: Path) -> None:
    partitions.claim(str(tmp_path), IDENTITY, location="a.csv", partitions=3)
    assert partitions.recorded(str(tmp_path)) is not None
    partitions.refuse_another(str(tmp_path), IDENTITY, location="b.csv")


@pytest.mark.parametrize(
    ("changes", "location", "words"),
    [
        ({"fingerprint": "beef"}, "a.csv", "a.csv has changed since"),
        ({"fingerprint": "beef"}, "b.csv", "it asks a.csv, not b.csv"),
        ({"partition_rows": 3}, "a.csv", "its rows of a partition is 2, not 3"),
        ({"release": "2026.2"}, "a.csv", r"its model release is 2026\.1, not 2026\.2"),
        ({"settings": {**IDENTITY.settings, "r": 0.2}}, "a.csv", r"its r is 0\.3, not 0\.2"),
        ({"settings": {**IDENTITY.settings, "columns": "ra=A"}}, "a.csv", "its columns is None, not ra=A"),
    ],
)
def test_another_batch_is_refused_with_the_difference(
    tmp_path: Path, changes: dict[str, Any], location: str, words: str
) -> None:
    partitions.claim(str(tmp_path), IDENTITY, location="a.csv", partitions=3)
    other = replace(IDENTITY, **changes)
    assert other.digest != IDENTITY.digest
    with pytest.raises(BatchError, match=f"holds another batch: {words}.*Give another output"):
        partitions.refuse_another(str(tmp_path), other, location=location)


def test_a_partition_with_all_rows_settled_is_done_and_one_with_some_left_is_not(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    first, second, _ = PARTITIONS
    assert folder.keep(first, records(first), {}).unanswered == 0
    rows = records(second)
    report = folder.keep(second, {2: rows[2]}, {3: rows[3] | {"problem_type": "busy", "problem": "Later."}})
    assert (report.unanswered, report.rows) == (1, 2)
    assert {number: tally.rows for number, tally in folder.done(PARTITIONS).items()} == {0: 2}
    assert list(folder.kept(second)) == [2], "what may pass is asked again"
    assert [row["row"] for row in folder.rows(second)] == [2, 3]
    folder.keep(second, rows, {})
    assert not storage.exists(folder.unfinished(second))


def test_a_partition_whose_rows_are_asked_again_is_not_done_until_all_are_settled(tmp_path: Path) -> None:
    rows = records(PARTITIONS[0], failed=(1,))
    folder_of(tmp_path).keep(PARTITIONS[0], rows, {})
    again = folder_of(tmp_path, retry_failed=True)
    again.keep(PARTITIONS[0], again.kept(PARTITIONS[0]), {1: rows[1] | {"problem": "Later."}})
    assert folder_of(tmp_path).done(PARTITIONS) == {}
    assert list(folder_of(tmp_path).kept(PARTITIONS[0])) == [0]
    assert folder_of(tmp_path).rows(PARTITIONS[0])[1]["problem"] == "Later."


def test_a_file_of_another_batch_is_not_taken_for_done(tmp_path: Path) -> None:
    other = replace(IDENTITY, release="2025.9")
    folder_of(tmp_path, other).keep(PARTITIONS[0], records(PARTITIONS[0]), {})
    with pytest.raises(BatchError, match="belongs to another batch"):
        folder_of(tmp_path).done(PARTITIONS)
