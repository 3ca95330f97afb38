"""Versions of models: loaded, served while calls use them, and unloaded.

The order is that of the real server (``core/availability_preserving_policy.cc``): a new version is loaded before the
old one is unloaded, and the old one stays while the new one can't be loaded.
"""

from __future__ import annotations

import enum
import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grpc import StatusCode

from serving.errors import StatusError, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

_log = logging.getLogger(__name__)


class ServableState(enum.IntEnum):
    """The states of a version, as ``ModelVersionStatus`` numbers them."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(eq=False, slots=True)
class Servable:
    """One version of a model, from its discovery to the end of the process. The manager's lock guards it."""

    name: str
    number: int
    path: str
    state: ServableState = ServableState.START
    wanted: bool = True
    error: StatusError | None = None
    session: Any = None
    in_flight: int = 0

    def __str__(self) -> str:
        return f"{{name: {self.name} version: {self.number}}}"


class VersionManager:
    """Loads and unloads versions, one after the other, until the served ones are the wanted ones.

    Loading several at a time is no faster and uses 120 MB more afterwards. ``load`` returns a servable's session, which
    has a method ``close``, or raises an error.
    """

    def __init__(self, load: Callable[[Servable], Any]) -> None:
        self._load = load
        self._changed = threading.Condition()
        self._servables: dict[str, dict[int, Servable]] = {}
        self._stopped = False
        threading.Thread(target=self._work, name="manager", daemon=True).start()

    def want(self, name: str, versions: Mapping[int, str]) -> None:
        """Set the wanted versions of a model, path by number. An empty mapping unloads the model."""
        with self._changed:
            known = self._servables.setdefault(name, {})
            for number in known.keys() | versions.keys():
                present, wanted = known.get(number), number in versions
                # A failed version is not tried again while it stays wanted.
                if wanted and (present is None or (present.state is ServableState.END and not present.wanted)):
                    known[number] = Servable(name, number, versions[number])
                elif present is not None and present.state is not ServableState.UNLOADING:
                    present.wanted = wanted
            self._update()

    @contextmanager
    def use(self, name: str, number: int | None) -> Iterator[Servable]:
        """Hold a version during a call; without ``number``, the highest available one. Raises NOT_FOUND without one."""
        with self._changed:
            ready = [one for one in self._of(name, ServableState.AVAILABLE) if number in {None, one.number}]
            if not ready:
                request = f"Latest({name})" if number is None else f"Specific({name}, {number})"
                raise not_found(f"Servable not found for request: {request}")
            servable = max(ready, key=lambda one: one.number)
            servable.in_flight += 1
        try:
            yield servable
        finally:
            with self._changed:
                servable.in_flight -= 1
                if servable.state is ServableState.UNLOADING:
                    self._changed.notify_all()

    def _of(self, name: str, state: ServableState | None = None) -> list[Servable]:
        return [one for one in self._servables.get(name, {}).values() if state in {None, one.state}]

    def seen(self, name: str) -> list[Servable]:
        """Return all versions of a model that this process has seen, highest number first."""
        with self._changed:
            return sorted(self._of(name), key=lambda one: -one.number)

    def wait_until_served(self, names: Collection[str], timeout_s: float | None = None) -> list[Servable] | None:
        """Wait until each model has a version available or has failed; return the versions of those that failed.

        None means that the time had passed or :meth:`stop` was called before.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or all(map(self._is_settled, names)), timeout_s)
            if not all(map(self._is_settled, names)):
                return None
            return [one for name in names if self._has_failed(name) for one in self._of(name) if one.error]

    def _is_settled(self, name: str) -> bool:
        return bool(self._of(name, ServableState.AVAILABLE)) or self._has_failed(name)

    def _has_failed(self, name: str) -> bool:
        wanted = [one for one in self._of(name) if one.wanted]
        return bool(wanted) and all(one.error for one in wanted)

    def stop(self) -> None:
        """Stop loading, and end all waits."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _update(self) -> None:
        """Mark the versions to unload. The caller holds the lock and has changed something."""
        for name in self._servables:
            for one in self._of(name, ServableState.START):
                if not one.wanted:
                    one.state = ServableState.END
            while (old := _to_unload(self._of(name))) is not None:
                _log.info("Quiescing servable version %s", old)
                old.state = ServableState.UNLOADING
        self._changed.notify_all()

    def _work(self) -> None:
        while (one := self._next()) is not None:
            if one.state is ServableState.UNLOADING:
                one.session.close()
                self._become(one, ServableState.END)
                _log.info("Done unloading servable version %s", one)
                continue
            _log.info("Loading servable version %s", one)
            try:
                session = self._load(one)
            except Exception as failure:  # noqa: BLE001 - no error of a model may end the server
                error = failure if isinstance(failure, StatusError) else StatusError(StatusCode.UNKNOWN, str(failure))
                _log.error("Loading servable version %s failed: %s", one, error)
                self._become(one, ServableState.END, error=error)
            else:
                self._become(one, ServableState.AVAILABLE, session=session)
                _log.info("Successfully loaded servable version %s", one)

    def _next(self) -> Servable | None:
        """Wait for the next version to unload, or else to load, the highest first; None ends the work."""
        with self._changed:
            while not self._stopped:
                for one in (one for name in self._servables for one in self._of(name, ServableState.UNLOADING)):
                    if not one.in_flight:
                        return one
                fresh = [one for name in self._servables for one in self._of(name, ServableState.START)]
                if fresh:
                    newest = max(fresh, key=lambda one: one.number)
                    newest.state = ServableState.LOADING
                    return newest
                self._changed.wait()
        return None

    def _become(
        self, servable: Servable, state: ServableState, *, session: Any = None, error: StatusError | None = None
    ) -> None:
        with self._changed:
            servable.state, servable.session, servable.error = state, session, error
            self._update()


def _to_unload(servables: Collection[Servable]) -> Servable | None:
    """Return the lowest version that is no longer wanted, if the model stays available without it."""
    ready = [one for one in servables if one.state is ServableState.AVAILABLE]
    unwanted = [one for one in ready if not one.wanted]
    model_dropped = not any(one.wanted for one in servables)
    if unwanted and (model_dropped or len(unwanted) > 1 or len(unwanted) < len(ready)):
        return min(unwanted, key=lambda one: one.number)
    return None
