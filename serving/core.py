"""What is served at this moment: the config, its labels, and the look-up of a request's model."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import grpc

from serving import config, status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from serving.config import ModelConfig
    from serving.manager import Manager, Version

_log = logging.getLogger(__name__)


class Core:
    """Keeps the manager's wishes in line with the config and with what lies on disk.

    Parameters
    ----------
    manager : serving.manager.Manager
    poll_s : float
        Seconds between looks at the file system; 0 looks once, negative never.
    allow_unavailable_labels : bool
        A new label may name a version that is not loaded.
    """

    def __init__(self, manager: Manager, *, poll_s: float, allow_unavailable_labels: bool) -> None:
        self.manager = manager
        self._poll_s = poll_s
        self._allow_unavailable_labels = allow_unavailable_labels
        self._models: dict[str, ModelConfig] = {}
        self._labels: dict[str, Mapping[str, int]] = {}
        self._models_lock = threading.Lock()
        self._reload_lock = threading.Lock()
        self._stopped = threading.Event()
        self._poller = threading.Thread(target=self._poll_forever, name="poll", daemon=True)

    def start(self, proto: Any) -> None:
        """Serve a ``ModelServerConfig`` and return when every model has a version available, or on :meth:`stop`.

        A model whose base path is absent or empty is waited for without end.

        Raises
        ------
        serving.status.StatusError
            The config is wrong, or a model can't be loaded (UNKNOWN).
        """
        self._accept(proto)
        self._poller.start()
        self._wait(set(self._models), "servable", self._stopped.is_set)

    def reload(self, proto: Any, gave_up: Callable[[], bool]) -> None:
        """Replace the config, and return when every model that is new has a version available.

        Models that are left out are unloaded; a changed policy or path follows at the next look at the file system.

        Raises
        ------
        serving.status.StatusError
            The config is wrong and nothing changed; or a new model can't be loaded (UNKNOWN); or the caller gave up
            waiting (DEADLINE_EXCEEDED).
        """
        with self._reload_lock:
            before = set(self._models)
            self._accept(proto)
            self._wait(set(self._models) - before, "model", lambda: gave_up() or self._stopped.is_set())
            if gave_up():
                raise status.StatusError(
                    grpc.StatusCode.DEADLINE_EXCEEDED, "The caller left before every new model was available"
                )

    def use(self, spec: Any) -> AbstractContextManager[Version]:
        """Hold the version that a request's ``ModelSpec`` names.

        Raises
        ------
        serving.status.StatusError
            INVALID_ARGUMENT for a missing name or an unknown label, NOT_FOUND for an unknown model or version.
        """
        if not spec.name:
            raise status.invalid("ModelSpec has no name specified.")
        number = spec.version.value if spec.WhichOneof("version_choice") == "version" else None
        if spec.version_label:
            number = self._labels.get(spec.name, {}).get(spec.version_label)
            if number is None:
                raise status.invalid(f"Unrecognized servable version label: {spec.version_label}")
        return self.manager.use(spec.name, number)

    def stop(self) -> None:
        """Stop looking for versions and loading them."""
        self._stopped.set()
        self.manager.stop()

    def _accept(self, proto: Any) -> None:
        models = config.checked(proto, self._models)
        labels = {name: self._checked_labels(model) for name, model in models.items()}
        with self._models_lock:
            dropped = set(self._models) - set(models)
            self._models, self._labels = models, labels
            for name in dropped:
                self.manager.want(name, {})

    def _checked_labels(self, model: ModelConfig) -> Mapping[str, int]:
        for label, number in model.labels.items():
            pointed_at = self._labels.get(model.name, {}).get(label)
            is_free = self._allow_unavailable_labels and pointed_at in (None, number)
            if not is_free and not self.manager.is_available(model.name, number):
                raise status.failed_precondition(
                    f"Request to assign label to version {number} of model {model.name}, "
                    "which is not currently available for inference"
                )
        return model.labels

    def _wait(self, names: set[str], what: str, gave_up: Callable[[], bool]) -> None:
        failed = self.manager.wait_until_served(names, gave_up)
        if failed:
            listed = "".join(f"{version} due to error: {version.error}, " for version in failed)
            down = len({version.name for version in failed})
            raise status.StatusError(
                grpc.StatusCode.UNKNOWN, f"{down} {what}(s) did not become available: {{{listed}}}"
            )

    def _poll_forever(self) -> None:
        if self._poll_s < 0:
            return
        self.poll()
        while self._poll_s > 0 and not self._stopped.wait(self._poll_s):
            self.poll()

    def poll(self) -> None:
        """Look for versions of all models; one base path that can't be read leaves every model as it is."""
        with self._models_lock:
            try:
                wanted = {name: config.wanted_versions(model) for name, model in self._models.items()}
            except OSError as error:
                _log.error("File system polling failed, nothing is changed: %s", error)
                return
            for name, versions in wanted.items():
                self.manager.want(name, versions)
