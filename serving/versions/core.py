"""The models that are served now: their config and labels, the polling, and the look-up of a call's version."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from grpc import StatusCode

from serving.errors import StatusError, invalid
from serving.versions import config
from serving.versions.manager import ServableState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from serving.versions.manager import Servable, VersionManager

_log = logging.getLogger(__name__)


class ServerCore:
    """Tells the manager which versions are wanted, by the config and the files on disk.

    It polls the file system every ``poll_s`` seconds; once if that is 0, and never if it is negative. With
    ``allow_unavailable_labels`` a new label may name a version that is not loaded.
    """

    def __init__(self, manager: VersionManager, *, poll_s: float, allow_unavailable_labels: bool) -> None:
        self.manager = manager
        self._poll_s = poll_s
        self._allow_unavailable_labels = allow_unavailable_labels
        self._models: dict[str, Any] = {}
        self._models_lock = threading.Lock()
        self._reload_lock = threading.Lock()
        self._stopped = threading.Event()

    def start(self, wanted: Any) -> None:
        """Serve a ``ModelServerConfig``; return when every model has a version, however long it takes."""
        self._accept(wanted)
        threading.Thread(target=self._poll_forever, name="poll", daemon=True).start()
        self._wait(set(self._models), "servable", None)

    def reload(self, wanted: Any, *, timeout_s: float | None) -> None:
        """Replace the config, and return when every new model has a version available.

        Removed models are unloaded; a changed policy or path takes effect at the next poll of the file system. Raises
        StatusError if the config is wrong and nothing changed, a new model can't be loaded (UNKNOWN), or it was not
        loaded in time (DEADLINE_EXCEEDED).
        """
        with self._reload_lock:
            before = set(self._models)
            self._accept(wanted)
            if not self._wait(set(self._models) - before, "model", timeout_s):
                raise StatusError(StatusCode.DEADLINE_EXCEEDED, "Not every new model became available in time")

    def use(self, spec: Any) -> AbstractContextManager[Servable]:
        """Hold the version in a call's ``ModelSpec``; raises StatusError for a missing or unknown one."""
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        number = spec.version.value if spec.WhichOneof("version_choice") == "version" else None
        if spec.version_label:
            number = self._labels_of(spec.name).get(spec.version_label)
            if number is None:
                raise invalid(f"Unrecognized servable version label: {spec.version_label}")
        return self.manager.use(spec.name, number)

    def stop(self) -> None:
        """Stop polling and loading."""
        self._stopped.set()
        self.manager.stop()

    def _labels_of(self, name: str) -> Mapping[str, int]:
        return self._models[name].version_labels if name in self._models else {}

    def _accept(self, wanted: Any) -> None:
        models = config.checked_models(wanted, self._models)
        for name, model in models.items():
            available = {one.number for one in self.manager.seen(name) if one.state is ServableState.AVAILABLE}
            for label, number in model.version_labels.items():
                moved = self._labels_of(name).get(label, number) != number
                if number not in available and (moved or not self._allow_unavailable_labels):
                    raise StatusError(
                        StatusCode.FAILED_PRECONDITION,
                        f"Request to assign label to version {number} of model {name}, "
                        "which is not currently available for inference",
                    )
        with self._models_lock:
            dropped = self._models.keys() - models.keys()
            self._models = models
            for name in dropped:
                self.manager.want(name, {})

    def _wait(self, names: set[str], what: str, timeout_s: float | None) -> bool:
        failed = self.manager.wait_until_served(names, timeout_s)
        if failed:
            listed = "".join(f"{one} due to error: {one.error}, " for one in failed)
            down = len({one.name for one in failed})
            raise StatusError(StatusCode.UNKNOWN, f"{down} {what}(s) did not become available: {{{listed}}}")
        return failed is not None

    def _poll_forever(self) -> None:
        if self._poll_s >= 0:
            self._poll()
        while self._poll_s > 0 and not self._stopped.wait(self._poll_s):
            self._poll()

    def _poll(self) -> None:
        """Find the versions of all models; if one base path can't be read, every model stays as it is."""
        with self._models_lock:
            try:
                wanted = {name: config.wanted_versions(model) for name, model in self._models.items()}
            except OSError as error:
                _log.error("File system polling failed, nothing is changed: %s", error)
                return
            for name, versions in wanted.items():
                self.manager.want(name, versions)
