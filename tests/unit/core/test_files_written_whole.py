"""A file is written whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.core.files import written_whole

if TYPE_CHECKING:
    from pathlib import Path


def test_a_new_file_takes_the_old_one_s_place(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old", encoding="utf-8")
    with written_whole(path) as partial:
        partial.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match="full"), written_whole(path) as partial:  # noqa: PT012 - it fails half way
        partial.write_text("ne", encoding="utf-8")
        raise ValueError("the disk is full")
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_was_never_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "table.csv"):
        pass
    assert list(tmp_path.iterdir()) == []
