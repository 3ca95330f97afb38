"""Files on a disk, or in any store that fsspec has a driver for. A file appears whole or not at all."""

from __future__ import annotations

import fcntl
import re
import tempfile
import uuid
from contextlib import ExitStack, contextmanager, suppress
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import fsspec
from fsspec.implementations.local import LocalFileSystem

from batch.errors import BatchError, BatchStopped
from gateway.core.files import written_whole
from gateway.tables import folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.tables.folders import Listing

PARTIAL = ".partial"
"""Ends the name of a file that is being written; readers of folders pass over names that start with a dot."""

_TRIED = ".tried"
"""A file that is written to see whether one can be."""

_CREDENTIALS = (
    "For S3 they are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or the machine's role; FSSPEC_S3_ANON=true "
    "reads a public bucket."
)

_WHOLE_AT_ONCE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "memory"})
"""Stores in which an object appears under its name when all of it is there, and has no name before."""


def locate(url: str) -> tuple[Any, str]:
    """Return the file system of a URL or local path, and the path in it.

    Raises
    ------
    BatchError
        No driver is installed for it.
    """
    if "://" not in url:
        # a path of this machine, whatever it has in its name: "::" would chain stores
        return LocalFileSystem(), str(Path(url).expanduser().absolute())
    try:
        fs, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise BatchError(f"{url} needs a package that is not installed here: {error}.") from error
    except ValueError as error:
        raise BatchError(f"{url} is in no kind of store that is known: {error}.") from error
    return fs, path


def check(url: str, *, written: bool = False) -> None:
    """See that a store answers, lets this machine in, and has the bucket; of a disk nothing is asked.

    Parameters
    ----------
    url : str
    written : bool
        Whether files are to be written below it, of which one is tried.

    Raises
    ------
    BatchError
        There is no such bucket, or no credentials for it, or they don't let in.
    BatchStopped
        The store can't be reached now.
    """
    fs, path = locate(url)
    if is_local(fs):
        return
    try:
        if written:
            fs.pipe_file(join(path, _TRIED), b"")
            with suppress(OSError):  # some buckets let files be written and none be deleted
                fs.rm_file(join(path, _TRIED))
        else:
            fs.exists(path)
    except FileNotFoundError as error:
        raise BatchError(f"{url} can't be {'written' if written else 'read'}: {_said(error)}.") from error
    except PermissionError as error:
        raise BatchError(f"The credentials for {url} don't let in: {_said(error)}.") from error
    # each driver has errors of its own, that stand on none of Python's
    except Exception as error:
        if re.search("credential|authenticat", f"{type(error).__name__} {error}", re.IGNORECASE):
            raise BatchError(f"There are no credentials for {url}: {_said(error)}. {_CREDENTIALS}") from error
        raise BatchStopped(f"{url} can't be reached: {_said(error)}.") from error


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__


def is_local(fs: Any) -> bool:
    """Whether a file system is this machine's own."""
    return isinstance(fs, LocalFileSystem)


def full(url: str) -> str:
    """Return a local path made absolute, so that a worker in another folder means the same; a URL as it is."""
    fs, path = locate(url)
    return str(path) if is_local(fs) else url


def join(folder: str, *names: str) -> str:
    """Return the URL of what is below a folder."""
    return "/".join((folder.rstrip("/"), *names))


def below(folder: str, name: str) -> str:
    """Return the URL of a name that a table gives: below a folder unless it is a whole path or URL by itself."""
    return name if "://" in name or name.startswith("/") else join(folder, name)


def read(url: str) -> bytes:
    """Return a whole file; raises :class:`OSError` as the store does."""
    fs, path = locate(url)
    data: bytes = fs.cat_file(path)
    return data


def exists(url: str) -> bool:
    """Whether there is something of that name."""
    fs, path = locate(url)
    return bool(fs.exists(path))


def names(folder: str) -> list[str]:
    """Return the names of what lies in a folder, without what is deeper; none if there is no such folder."""
    fs, path = locate(folder)
    # what another process wrote since is looked for in the store, not in this one's memory of it
    fs.invalidate_cache(path)
    try:
        listed = fs.ls(path, detail=False)
    except FileNotFoundError:
        return []
    return sorted(str(one).rstrip("/").rpartition("/")[2] for one in listed)


def remove(url: str) -> None:
    """Remove a file, if it is there."""
    fs, path = locate(url)
    if fs.exists(path):
        fs.rm_file(path)


@contextmanager
def writing(url: str) -> Iterator[BinaryIO]:
    """Open a file that appears under its name when the block ends, whole, and not at all where it raises.

    On a disk the bytes are safe under another name before the file gets its own; where two write the same file, the
    last one stays. Object stores do that by themselves; elsewhere the file is moved to its name once it is whole.

    Raises
    ------
    OSError
        As the store does.
    """
    fs, path = locate(url)
    if is_local(fs):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with written_whole(Path(path)) as partial, partial.open("wb") as file:
            yield file
        return
    with tempfile.TemporaryDirectory(prefix="inclinet-batch-") as temporary:
        made = Path(temporary, "whole")
        with made.open("wb") as file:
            yield file
        if _protocols(fs) & _WHOLE_AT_ONCE:
            fs.put_file(str(made), path)
        else:
            folder, _, name = path.rpartition("/")
            partial_url = f"{folder}/.{name}.{uuid.uuid4().hex}{PARTIAL}"
            fs.makedirs(folder, exist_ok=True)
            fs.put_file(str(made), partial_url)
            fs.mv(partial_url, path)


def write(url: str, data: bytes) -> None:
    """Write a whole file as :func:`writing` does."""
    with writing(url) as file:
        file.write(data)


@contextmanager
def alone(folder: str) -> Iterator[None]:
    """Keep other runs of this machine out of a folder; raises BatchError where there is one.

    Files would stay whole without it, and only work would be done twice: where it can't be told, nothing is refused.
    """
    with ExitStack() as opened:
        if is_local(locate(folder)[0]) and Path(folder).is_dir():
            file = opened.enter_context(Path(folder, ".lock").open("w"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BatchError(f"Another run is writing {folder}.") from None
            except OSError:
                pass
        yield


def sweep(folder: str) -> None:
    """Remove what killed writers left behind."""
    for name in names(folder):
        if name.startswith(".") and name.endswith(PARTIAL):
            remove(join(folder, name))


def open_for_reading(url: str) -> Any:
    """Open a file for reading at random; raises :class:`OSError` as the store does."""
    fs, path = locate(url)
    return fs.open(path, "rb")


def is_pattern(url: str) -> bool:
    """Tell whether a URL is a glob pattern: what exists under its name is none, whatever characters it has."""
    fs, path = locate(url)
    return has_magic(path) and not fs.exists(path)


def listing(url: str, skipped: Listing | None = None) -> Iterator[tuple[str, int, str]]:
    """Yield the files below a folder, or those that a glob pattern names, in order of their names.

    On a disk links are followed, and never in circles.

    Parameters
    ----------
    url : str
    skipped : Listing, optional
        Takes what is passed over, and why.

    Yields
    ------
    url : str
    size : int
        Bytes.
    stamp : str
        What changes when the content does: the store's checksum where it has one, else the time of the last change.
    """
    fs, path = locate(url)
    if is_local(fs):
        listed = (
            folders.matching(path)
            if is_pattern(url)
            else folders.listing(Path(path), lambda _name: True, deep=True, hidden="._")
        )
        if skipped is not None:
            skipped.skipped = listed.skipped
        for name in listed.found:
            at = Path(path, name).stat()
            yield str(Path(path, name)), at.st_size, str(at.st_mtime)
        return
    found = fs.glob(path, detail=True) if has_magic(path) else fs.find(path, detail=True)
    for name in sorted(found):
        info = found[name]
        if info["type"] == "file":
            yield str(fs.unstrip_protocol(name)), int(info["size"]), stamp(info)


def stamp(info: Mapping[str, Any]) -> str:
    """Return what changes when a file does: the store's checksum where it has one, else the time of the last change."""
    stamps = (info.get(key) for key in ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified"))
    return next((str(one) for one in stamps if one is not None), "")


def _protocols(fs: Any) -> set[str]:
    return {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
