"""The life of versions: a new one loads before the old one goes, and what is in use stays until it is done.

One loop decides what to load and unload, by the real server's availability preserving policy
(``core/availability_preserving_policy.cc``); it is woken by whatever changes the state.
"""

from __future__ import annotations

import enum
import functools
import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from serving import status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_log = logging.getLogger(__name__)


class State(enum.IntEnum):
    """The states of a version, as ``ModelVersionStatus`` numbers them."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(eq=False, slots=True)
class Version:
    """One version of a model, from its discovery to the end of the process. The manager's lock guards it."""

    name: str
    number: int
    path: str
    state: State = State.START
    wanted: bool = True
    error: status.StatusError | None = None
    model: Any = None
    in_flight: int = 0

    def __str__(self) -> str:
        return f"{{name: {self.name} version: {self.number}}}"

    @property
    def failed(self) -> bool:
        """Whether its load ended in an error."""
        return self.state is State.END and self.error is not None


class Manager:
    """Loads and unloads versions until what is served is what is wanted.

    Parameters
    ----------
    load : callable
        Given a version, returns the model ready for requests, with a method ``close``; may raise.
    load_threads : int
        Versions that load at a time.
    retries : int
    retry_interval_s : float
        A failed load is tried again so often, at this interval, while the version is wanted.
    """

    def __init__(
        self, load: Callable[[Version], Any], *, load_threads: int, retries: int, retry_interval_s: float
    ) -> None:
        self.load_threads = load_threads
        self._load = load
        self._retries = retries
        self._retry_interval_s = retry_interval_s
        self._changed = threading.Condition()
        self._versions: dict[str, dict[int, Version]] = {}
        self._loading = 0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="manager", daemon=True)
        self._thread.start()

    def want(self, name: str, versions: Mapping[int, str]) -> None:
        """State which versions of a model are to be served, number to path. None unloads the model."""
        with self._changed:
            known = self._versions.setdefault(name, {})
            for version in known.values():
                version.wanted = version.wanted and version.number in versions
                if version.state is State.START and not version.wanted:
                    version.state = State.END
            for number, path in versions.items():
                present = known.get(number)
                # A version that failed is not tried again while it stays wanted.
                if present is None or (present.state is State.END and not present.wanted):
                    known[number] = Version(name, number, path)
                elif present.state is not State.UNLOADING:
                    present.wanted = True
            self._changed.notify_all()

    @contextmanager
    def use(self, name: str, number: int | None) -> Iterator[Version]:
        """Hold a version while a request runs; without ``number``, the highest that is available.

        Raises
        ------
        serving.status.StatusError
            NOT_FOUND.
        """
        with self._changed:
            version = self._find(name, number)
            version.in_flight += 1
        try:
            yield version
        finally:
            with self._changed:
                version.in_flight -= 1
                if version.state is State.UNLOADING:
                    self._changed.notify_all()

    def _find(self, name: str, number: int | None) -> Version:
        available = [v for v in self._versions.get(name, {}).values() if v.state is State.AVAILABLE]
        if number is not None:
            available = [version for version in available if version.number == number]
        if not available:
            request = f"Latest({name})" if number is None else f"Specific({name}, {number})"
            raise status.not_found(f"Servable not found for request: {request}")
        return max(available, key=lambda version: version.number)

    def is_available(self, name: str, number: int) -> bool:
        """Return whether a request for that version would find it."""
        with self._changed:
            version = self._versions.get(name, {}).get(number)
            return version is not None and version.state is State.AVAILABLE

    def states(self, name: str) -> list[tuple[int, State, status.StatusError | None]]:
        """Return every version of a model that this process has seen, highest number first."""
        with self._changed:
            known = self._versions.get(name, {})
            return [(v.number, v.state, v.error) for v in sorted(known.values(), key=lambda v: v.number, reverse=True)]

    def wait_until_served(self, names: Iterable[str], gave_up: Callable[[], bool]) -> list[Version]:
        """Wait until each model has a version available or has failed; return the versions that failed.

        ``gave_up`` is asked whenever something changes and after :meth:`wake`; once true, the wait ends early.
        """
        names = list(names)
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or gave_up() or all(map(self._settled, names)))
            return [
                v for name in names for v in self._versions.get(name, {}).values() if self._is_down(name) and v.failed
            ]

    def _settled(self, name: str) -> bool:
        versions = self._versions.get(name, {}).values()
        return any(version.state is State.AVAILABLE for version in versions) or self._is_down(name)

    def _is_down(self, name: str) -> bool:
        wanted = [version for version in self._versions.get(name, {}).values() if version.wanted]
        return bool(wanted) and all(version.failed for version in wanted)

    def wake(self) -> None:
        """Let those who wait look again whether they have given up."""
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """Load nothing further."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                work = self._next()
                if work is None:
                    self._changed.wait()
                    continue
            work()

    def _next(self) -> Callable[[], None] | None:
        for versions in self._versions.values():
            for version in versions.values():
                if version.state is State.UNLOADING and not version.in_flight:
                    return functools.partial(self._close, version)
        for versions in self._versions.values():
            unload = _to_unload(versions.values())
            if unload is not None:
                _log.info("Quiescing servable version %s", unload)
                unload.state = State.UNLOADING
                return self._next()
        if self._loading < self.load_threads:
            for versions in self._versions.values():
                fresh = [version for version in versions.values() if version.state is State.START]
                if fresh:
                    return functools.partial(self._begin_load, max(fresh, key=lambda version: version.number))
        return None

    def _close(self, version: Version) -> None:
        version.model.close()
        with self._changed:
            version.model = None
            version.state = State.END
            self._changed.notify_all()
        _log.info("Done unloading servable version %s", version)

    def _begin_load(self, version: Version) -> None:
        with self._changed:
            self._loading += 1
            version.state = State.LOADING
        _log.info("Loading servable version %s", version)
        threading.Thread(target=self._load_with_retries, args=(version,), name=f"load {version}", daemon=True).start()

    def _load_with_retries(self, version: Version) -> None:
        model: Any = None
        error: status.StatusError | None = None
        for attempt in range(self._retries + 1):
            try:
                model, error = self._load(version), None
            except status.StatusError as failure:
                error = failure
            except Exception as failure:  # noqa: BLE001 - whatever is wrong with a model, the manager lives on
                error = status.StatusError(grpc.StatusCode.UNKNOWN, str(failure))
            if error is None or not self._may_retry(version, error, last=attempt == self._retries):
                break
        with self._changed:
            self._loading -= 1
            version.model, version.error = model, error
            version.state = State.END if error else State.AVAILABLE
            self._changed.notify_all()
        if error is None:
            _log.info("Successfully loaded servable version %s", version)

    def _may_retry(self, version: Version, error: status.StatusError, *, last: bool) -> bool:
        _log.error("Loading servable version %s failed: %s", version, error)
        with self._changed:
            return not last and not self._changed.wait_for(
                lambda: self._stopping or not version.wanted, timeout=self._retry_interval_s
            )


def _to_unload(versions: Iterable[Version]) -> Version | None:
    """Return the lowest version that nothing wants, if the model stays available without it."""
    versions = list(versions)
    ready = [version for version in versions if version.state is State.AVAILABLE]
    unwanted = [version for version in ready if not version.wanted]
    nothing_wanted = not any(version.wanted for version in versions)
    if unwanted and (nothing_wanted or len(unwanted) > 1 or any(version.wanted for version in ready)):
        return min(unwanted, key=lambda version: version.number)
    return None
