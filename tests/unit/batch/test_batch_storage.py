"""Files of a batch appear whole or not at all, on disks and in object stores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import fsspec
import pytest

from batch import storage
from batch.errors import BatchError

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["disk", "memory"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "disk":
        yield str(tmp_path / "out")
        return
    name = f"/{uuid4().hex}"
    yield f"memory:/{name}"
    fs = fsspec.filesystem("memory")
    if fs.exists(name):
        fs.rm(name, recursive=True)


def test_a_file_is_read_as_it_was_written_and_replaced_whole(folder: str) -> None:
    url = storage.join(folder, "deep", "a")
    storage.write(url, b"one")
    storage.write(url, b"two, longer")
    assert storage.read(url) == b"two, longer"
    assert storage.names(storage.join(folder, "deep")) == ["a"]
    with storage.open_for_reading(url) as file:
        file.seek(5)
        assert file.read() == b"longer"


def test_a_folder_that_is_not_there_holds_nothing(folder: str) -> None:
    assert storage.names(folder) == []
    assert not storage.exists(folder)
    storage.remove(storage.join(folder, "nothing"))
    storage.remove_partial_files(folder)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "a")
    storage.write(url, b"old")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        storage.write(url, b"new")
    assert Path(url).read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_killed_writers_left_is_swept_and_results_stay(tmp_path: Path) -> None:
    for name in ("part-000000.parquet", ".part-000001.parquet.0123.partial", "_batch.json", ".other"):
        (tmp_path / name).write_bytes(b"x")
    storage.remove_partial_files(str(tmp_path))
    assert storage.names(str(tmp_path)) == [".other", "_batch.json", "part-000000.parquet"]


def test_a_store_without_a_driver_is_named() -> None:
    with pytest.raises(BatchError, match="needs a package that is not installed"):
        storage.locate("gdrive://folder/file")


def test_a_local_path_means_the_same_everywhere_and_a_url_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert storage.absolute("a/b.csv") == str(tmp_path / "a" / "b.csv")
    assert storage.absolute("memory://a/b.csv") == "memory://a/b.csv"


def test_a_listing_is_in_order_and_tells_files_apart(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.jpg", "c.txt"):
        (tmp_path / name).write_bytes(name.encode())
    listed = list(storage.listing(f"{tmp_path}/*.jpg"))
    assert [(url, size) for url, size, _ in listed] == [(str(tmp_path / "a.jpg"), 5), (str(tmp_path / "b.jpg"), 5)]
    assert all(stamp for _, _, stamp in listed)
