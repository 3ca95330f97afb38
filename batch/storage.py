"""Reads and writes files on a disk, or in any store of fsspec. A file appears whole or not at all."""

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
"""Suffix of a file that is being written; readers of folders skip its name, which starts with a dot."""

_TRIED = ".tried"
"""Name of a file that tests whether files can be written."""

_CREDENTIALS = (
    "For S3 they are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or the machine's role; FSSPEC_S3_ANON=true "
    "reads a public bucket."
)

_WHOLE_AT_ONCE = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "memory"})
"""Stores in which an object appears only when it is complete."""


def locate(url: str) -> tuple[Any, str]:
    """Return the file system of a URL or local path, and the path in it.

    Raises
    ------
    BatchError
        No driver for the store is installed.
    """
    if "://" not in url:
        # fsspec would take "::" in a local path for chained stores
        return LocalFileSystem(), str(Path(url).expanduser().absolute())
    try:
        fs, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise BatchError(f"{url} needs a package that is not installed here: {error}.") from error
    except ValueError as error:
        raise BatchError(f"{url} is in no kind of store that is known: {error}.") from error
    return fs, path


def check(url: str, *, written: bool = False) -> None:
    """Check that a store answers, grants access, and has the bucket; nothing is checked on a disk.

    Parameters
    ----------
    url : str
    written : bool
        Whether files will be written below it; a test file is then written.

    Raises
    ------
    BatchError
        The bucket does not exist, or the credentials are missing or insufficient.
    BatchStopped
        The store can't be reached now.
    """
    fs, path = locate(url)
    if is_local(fs):
        return
    try:
        if written:
            fs.pipe_file(join(path, _TRIED), b"")
            with suppress(OSError):  # some buckets allow writing but not deleting
                fs.rm_file(join(path, _TRIED))
        else:
            fs.exists(path)
    except FileNotFoundError as error:
        raise BatchError(f"{url} can't be {'written' if written else 'read'}: {_said(error)}.") from error
    except PermissionError as error:
        raise BatchError(f"The credentials for {url} don't let in: {_said(error)}.") from error
    # each driver has its own errors, unrelated to Python's
    except Exception as error:
        if re.search("credential|authenticat", f"{type(error).__name__} {error}", re.IGNORECASE):
            raise BatchError(f"There are no credentials for {url}: {_said(error)}. {_CREDENTIALS}") from error
        raise BatchStopped(f"{url} can't be reached: {_said(error)}.") from error


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__


def is_local(fs: Any) -> bool:
    """Return whether a file system is this machine's own."""
    return isinstance(fs, LocalFileSystem)


def absolute(url: str) -> str:
    """Return a local path made absolute, so that it is valid for workers in other folders; a URL unchanged."""
    fs, path = locate(url)
    return str(path) if is_local(fs) else url


def join(folder: str, *names: str) -> str:
    """Return the URL of a name below a folder."""
    return "/".join((folder.rstrip("/"), *names))


def below(folder: str, name: str) -> str:
    """Return the URL of a name in a table: below a folder unless the name is an absolute path or a URL."""
    return name if "://" in name or name.startswith("/") else join(folder, name)


def read(url: str) -> bytes:
    """Return the content of a file; raises :class:`OSError` as the store does."""
    fs, path = locate(url)
    data: bytes = fs.cat_file(path)
    return data


def exists(url: str) -> bool:
    """Return whether a file or folder of that name exists."""
    fs, path = locate(url)
    return bool(fs.exists(path))


def names(folder: str) -> list[str]:
    """Return the names of the files and folders in a folder, not below; empty if there is no such folder."""
    fs, path = locate(folder)
    # ignore fsspec's cache, since other processes may have written since
    fs.invalidate_cache(path)
    try:
        listed = fs.ls(path, detail=False)
    except FileNotFoundError:
        return []
    return sorted(str(one).rstrip("/").rpartition("/")[2] for one in listed)


def remove(url: str) -> None:
    """Remove a file, if it exists."""
    fs, path = locate(url)
    if fs.exists(path):
        fs.rm_file(path)


@contextmanager
def writing(url: str) -> Iterator[BinaryIO]:
    """Open a file that appears under its name when the block ends, complete, and not at all if it raises.

    On a disk the bytes are flushed under another name before the rename; of two concurrent writers the last one wins.
    Object stores do that by themselves; elsewhere the complete file is moved to its name.

    Raises
    ------
    OSError
        The store raised an error.
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
    """Write a complete file as :func:`writing` does."""
    with writing(url) as file:
        file.write(data)


@contextmanager
def lock_folder(folder: str) -> Iterator[None]:
    """Keep other runs on this machine out of a folder; raises BatchError if there is one.

    Without the lock, files would stay whole and only work would be done twice; so a lock that fails refuses nothing.
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


def remove_partial_files(folder: str) -> None:
    """Remove the temporary files of killed writers."""
    for name in names(folder):
        if name.startswith(".") and name.endswith(PARTIAL):
            remove(join(folder, name))


def open_for_reading(url: str) -> Any:
    """Open a file for random access; raises :class:`OSError` as the store does."""
    fs, path = locate(url)
    return fs.open(path, "rb")


def is_pattern(url: str) -> bool:
    """Return whether a URL is a glob pattern; an existing path is none, whatever characters it has."""
    fs, path = locate(url)
    return has_magic(path) and not fs.exists(path)


def listing(url: str, skipped: Listing | None = None) -> Iterator[tuple[str, int, str]]:
    """Yield the files below a folder, or those that match a glob pattern, in order of their names.

    On a disk links are followed without circles.

    Parameters
    ----------
    url : str
    skipped : Listing, optional
        Receives the skipped files, and why.

    Yields
    ------
    url : str
    size : int
        Bytes.
    stamp : str
        Changes when the content does: the store's checksum where it has one, else the time of the last change.
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
    """Return the stamp of a file, which changes with it: the store's checksum if there is one, else its time."""
    stamps = (info.get(key) for key in ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified"))
    return next((str(one) for one in stamps if one is not None), "")


def _protocols(fs: Any) -> set[str]:
    return {fs.protocol} if isinstance(fs.protocol, str) else set(fs.protocol)
