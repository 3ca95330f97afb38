"""Files in folders: links are followed and never in circles, and what is passed over is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batch.errors import BatchError
from batch.inputs import source
from gateway.tables import folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of images, links, and other things."""
    real = tmp_path / "elsewhere"
    real.mkdir()
    (real / "a.jpg").write_bytes(b"x")
    held = tmp_path / "images [1]::x"
    (held / "deep").mkdir(parents=True)
    (held / "linked.JPG").symlink_to(real / "a.jpg")
    (held / "gone.png").symlink_to(tmp_path / "nothing")
    (held / "notes.txt").write_text("x")
    (held / ".hidden.png").write_bytes(b"x")
    for name in ("b.fts", "c.fit.gz", "d.fits.bz2", "e.tiff", "deep/f.jpe"):
        (held / name).write_bytes(b"x")
    (held / "deep" / "loop").symlink_to(held)
    (held / "folder of links").symlink_to(real)
    return held


def test_a_folder_lists_what_it_holds_and_what_is_passed_over(folder: Path) -> None:
    listed = folders.listing(folder, deep=True)
    assert listed.found == [
        *("b.fts", "c.fit.gz", "d.fits.bz2", "deep/f.jpe", "e.tiff", "folder of links/a.jpg", "linked.JPG"),
    ]
    assert listed.skipped == {
        "hidden by its name": [".hidden.png"],
        "a link to nothing": ["gone.png"],
        folders.NO_IMAGE: ["notes.txt"],
        "a link to a folder that is looked into already": ["deep/loop"],
    }
    said = " ".join(listed.sentences("here"))
    assert said.startswith("7 images found in here.")
    assert "1 passed over, a link to nothing: gone.png." in said


def test_a_batch_takes_the_images_of_a_folder_and_says_what_it_passes_over(folder: Path) -> None:
    found = source.find([str(folder)])
    direct = {"b.fts", "c.fit.gz", "d.fits.bz2", "e.tiff", "linked.JPG"}
    assert {key for key, _ in source.keys(found)} == direct | {"deep/f.jpe", "folder of links/a.jpg"}
    assert any("gone.png" in sentence for sentence in found.notes)
    assert any("notes.txt" in sentence for sentence in found.notes)


def test_a_folder_of_links_is_a_folder_of_images(tmp_path: Path) -> None:
    (tmp_path / "real.jpg").write_bytes(b"x")
    links = tmp_path / "links"
    links.mkdir()
    for number in range(3):
        (links / f"{number}.jpg").symlink_to(tmp_path / "real.jpg")
    assert len(source.find([str(links)]).files) == 3


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("*.jpg", 0), ("*.JPG", 1), ("*", 6), ("**/*.jp*", 2), ("**", 8), ("[bc].*", 2), ("?.t*", 1), ("deep/*", 1)],
)
def test_a_pattern_below_a_folder_of_any_name_is_one(folder: Path, pattern: str, count: int) -> None:
    listed = folders.matching(f"{folder}/{pattern}")
    assert len(listed.found) == count
    assert all(Path(path).is_file() for path in listed.found)


def test_a_pattern_ends_where_links_go_in_circles(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).symlink_to(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"x")
    assert folders.matching(f"{tmp_path}/**/*.jpg").found == [f"{tmp_path}/a.jpg"]
    assert folders.listing(tmp_path, deep=True).found == ["a.jpg"]


def test_a_table_of_any_name_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "my::galaxies [v*].csv"
    path.write_text("pgc\n2557\n")
    assert source.find([str(path)]).form is source.Form.TABLE


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_that_can_not_be_read_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    try:
        with pytest.raises(BatchError, match="can't be read"):
            source.find([str(tmp_path)])
    finally:
        tmp_path.chmod(0o700)
