"""Lists files in folders: which are taken, and which are skipped and why. Links are followed without circles."""

from __future__ import annotations

import fnmatch
import os
import re
from dataclasses import dataclass, field
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PICTURES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".tif", ".tiff", ".webp")
_FITS = (".fits", ".fit", ".fts")
FITS_SUFFIXES = (*_FITS, *(f"{suffix}.{packed}" for suffix in _FITS for packed in ("gz", "bz2", "fz")))
IMAGE_SUFFIXES = (*_PICTURES, *FITS_SUFFIXES)
"""Suffixes of images in a folder; case does not matter."""

NO_IMAGE = "no image by its name"
_SHOWN = 3


@dataclass(slots=True)
class Listing:
    """The files of a folder.

    Attributes
    ----------
    found : list of str
        Paths below the folder, or as matched by a pattern, sorted.
    skipped : dict
        Skipped paths by reason.
    """

    found: list[str] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, path: str, why: str) -> None:
        """Record a skipped path."""
        self.skipped.setdefault(why, []).append(path)

    def sentences(self, where: str, what: str = "images") -> list[str]:
        """Return sentences about the files that were found, and about those that were skipped and why."""
        one = what.removesuffix("s")
        said = [f"{len(self.found):,} {one if len(self.found) == 1 else what} found in {where}."]
        for why, paths in sorted(self.skipped.items()):
            shown = ", ".join(paths[:_SHOWN]) + (", ..." if len(paths) > _SHOWN else "")
            said.append(f"{len(paths):,} passed over, {why}: {shown}.")
        return said


class FilesIn:
    """The files that exist under the names in a table, as a container of these names.

    Parameters
    ----------
    folder : Path
        Folder that relative names refer to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __contains__(self, name: object) -> bool:
        """Return whether a file of that name exists."""
        try:
            return (self._folder / str(name)).is_file()
        except (OSError, ValueError):
            return False  # no valid name, or too long


def is_image(name: str) -> bool:
    """Return whether a file name is that of an image."""
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.rpartition("/")[2].startswith(".")


def listing(folder: Path, wanted: Callable[[str], bool] = is_image, *, deep: bool, hidden: str = ".") -> Listing:
    """Return the files of a folder with wanted names.

    Parameters
    ----------
    folder : Path
        Folder to list.
    wanted : callable
        Returns whether a path below the folder is wanted.
    deep : bool
        Whether subfolders are searched; otherwise they are skipped.
    hidden : str
        First characters of names that are skipped.

    Raises
    ------
    OSError
        The folder can't be read.
    """
    listed = Listing()
    for path, why in _walk(folder, "", {_identity(folder)}, hidden, deep=deep):
        reason = why or ("" if wanted(path) else NO_IMAGE)
        if reason:
            listed.skip(path, reason)
        else:
            listed.found.append(path)
    listed.found.sort()
    return listed


def matching(pattern: str) -> Listing:
    """Return the files that a pattern matches: ``*``, ``?``, ``[...]``, and ``**`` for folders of any depth.

    An existing path matches by its name, whatever characters it has: ``images[1]/*.jpg`` searches the folder
    ``images[1]`` where there is one.
    """
    parts = Path(pattern).parts
    base = Path()
    while parts and ((base / parts[0]).exists() or not has_magic(parts[0])):
        base, parts = base / parts[0], parts[1:]
    listed = Listing()
    if not parts or not base.is_dir():
        if base.is_file() and not parts:
            listed.found.append(str(base))
        return listed
    meant = re.compile("".join(_regexes(parts)))
    deepest = None if "**" in parts else len(parts)
    for path, why in _walk(base, "", {_identity(base)}, "", deep=True, deepest=deepest):
        if meant.fullmatch(path):
            if why:
                listed.skip(str(base / path), why)
            else:
                listed.found.append(str(base / path))
    listed.found.sort()
    return listed


def _regexes(parts: tuple[str, ...]) -> Iterator[str]:
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        if part == "**":
            yield r"(?:[^/.][^/]*/)*" + (r"[^/.][^/]*" if last else "")
            continue
        # only a pattern that begins with a dot matches names that do
        guard = "" if part.startswith(".") else r"(?!\.)"
        yield guard + fnmatch.translate(part).removeprefix("(?s:").removesuffix(r")\Z").removesuffix(r")\z").replace(
            ".*", "[^/]*"
        )
        if not last:
            yield "/"


def _walk(
    folder: Path, below: str, seen: set[tuple[int, int]], hidden: str, *, deep: bool, deepest: int | None = None
) -> Iterator[tuple[str, str]]:
    """Yield the files of a folder: the path below it, and the reason why it is skipped, if it is."""
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        path = f"{below}{entry.name}"
        if hidden and entry.name.startswith(tuple(hidden)):
            yield path, "hidden by its name"
            continue
        try:
            if entry.is_dir():
                if not deep:
                    yield path, "a folder (a pattern as 'folder/**/*.jpg' looks into it)"
                elif deepest is None or path.count("/") + 1 < deepest:
                    identity = _identity(Path(entry.path))
                    if identity in seen:
                        yield path, "a link to a folder that is looked into already"
                    else:
                        seen.add(identity)
                        yield from _walk(Path(entry.path), f"{path}/", seen, hidden, deep=True, deepest=deepest)
            elif entry.is_file():
                yield path, ""
            elif entry.is_symlink():
                yield path, "a link to nothing"
            else:
                yield path, "no file"
        except OSError as error:
            yield path, f"it can't be read ({error.strerror or error})"


def _identity(folder: Path) -> tuple[int, int]:
    at = folder.stat()
    return at.st_dev, at.st_ino
