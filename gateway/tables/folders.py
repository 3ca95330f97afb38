"""Files in folders: which are taken, and which are passed over and why. Links are followed, and never in circles."""

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
"""How the names of the images in a folder end; case does not matter."""

NO_IMAGE = "no image by its name"
_SHOWN = 3


@dataclass(slots=True)
class Listing:
    """What a folder holds.

    Attributes
    ----------
    found : list of str
        Paths below the folder, or as a pattern names them, in order.
    skipped : dict
        Reason to the paths that were passed over for it.
    """

    found: list[str] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, path: str, why: str) -> None:
        """Note what is passed over."""
        self.skipped.setdefault(why, []).append(path)

    def sentences(self, where: str, what: str = "images") -> list[str]:
        """Say what was found, and what was passed over and why."""
        one = what.removesuffix("s")
        said = [f"{len(self.found):,} {one if len(self.found) == 1 else what} found in {where}."]
        for why, paths in sorted(self.skipped.items()):
            shown = ", ".join(paths[:_SHOWN]) + (", ..." if len(paths) > _SHOWN else "")
            said.append(f"{len(paths):,} passed over, {why}: {shown}.")
        return said


class FilesIn:
    """The files that lie where a table names them, as a container of their names.

    Parameters
    ----------
    folder : Path
        Where relative names begin.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a file of that name."""
        try:
            return (self._folder / str(name)).is_file()
        except (OSError, ValueError):
            return False  # too long for a name, or none


def is_image(name: str) -> bool:
    """Tell whether a file is an image by its name."""
    return name.lower().endswith(IMAGE_SUFFIXES) and not name.rpartition("/")[2].startswith(".")


def listing(folder: Path, wanted: Callable[[str], bool] = is_image, *, deep: bool, hidden: str = ".") -> Listing:
    """List the files of a folder whose names are wanted.

    Parameters
    ----------
    folder : Path
    wanted : callable
        Is given the path below the folder.
    deep : bool
        Whether folders in it are looked into; else they are passed over.
    hidden : str
        Characters of which one begins a name that is passed over.

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
    """List the files that a pattern names: ``*``, ``?``, ``[...]``, and ``**`` for folders of any depth.

    What exists under its name is meant by it, whatever characters it has: ``images[1]/*.jpg`` looks into the folder
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
        # a name that begins with a dot is named with it
        guard = "" if part.startswith(".") else r"(?!\.)"
        yield guard + fnmatch.translate(part).removeprefix("(?s:").removesuffix(r")\Z").removesuffix(r")\z").replace(
            ".*", "[^/]*"
        )
        if not last:
            yield "/"


def _walk(
    folder: Path, below: str, seen: set[tuple[int, int]], hidden: str, *, deep: bool, deepest: int | None = None
) -> Iterator[tuple[str, str]]:
    """Go through the files of a folder: the path below it, and why it is passed over, if it is."""
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
