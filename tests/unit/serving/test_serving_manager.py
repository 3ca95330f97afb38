"""The life of versions, with models that load when they are told to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import grpc
import pytest

from serving.errors import StatusError
from serving.versions.manager import Servable, ServableState, VersionManager
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


class FakeModel:
    """Remembers whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


class FakeLoader:
    """Loads models; numbers in ``failing`` fail, those in ``held`` wait for :meth:`release`."""

    def __init__(self) -> None:
        self.failing: set[int] = set()
        self.held: set[int] = set()
        self.attempts: list[int] = []
        self.models: dict[int, FakeModel] = {}
        self._released = threading.Event()

    def release(self) -> None:
        self._released.set()

    def __call__(self, version: Servable) -> FakeModel:
        self.attempts.append(version.number)
        if version.number in self.held:
            assert self._released.wait(10)
        if version.number in self.failing:
            raise StatusError(grpc.StatusCode.DATA_LOSS, f"version {version.number} is broken")
        self.models[version.number] = FakeModel()
        return self.models[version.number]


@pytest.fixture
def loader() -> FakeLoader:
    return FakeLoader()


@pytest.fixture
def manager(loader: FakeLoader) -> Iterator[VersionManager]:
    manager = VersionManager(loader)
    yield manager
    loader.release()
    manager.stop()


def paths(*numbers: int) -> dict[int, str]:
    return {number: f"/m/{number}" for number in numbers}


def states(manager: VersionManager) -> dict[int, ServableState]:
    return {one.number: one.state for one in manager.seen("m")}


def reach(manager: VersionManager, **wanted: ServableState) -> None:
    expected = {int(name[1:]): state for name, state in wanted.items()}
    wait_until(lambda: states(manager) == expected, f"{expected}, not {states(manager)}", timeout_s=10)


def latest(manager: VersionManager) -> int:
    with manager.use("m", None) as version:
        return version.number


def test_a_version_in_use_is_not_closed_until_it_is_given_back(manager: VersionManager, loader: FakeLoader) -> None:
    manager.want("m", paths(1))
    reach(manager, v1=ServableState.AVAILABLE)
    with manager.use("m", None) as version:
        manager.want("m", paths(2))
        reach(manager, v1=ServableState.UNLOADING, v2=ServableState.AVAILABLE)
        assert version.number == 1
        assert latest(manager) == 2
        assert not loader.models[1].closed
    reach(manager, v1=ServableState.END, v2=ServableState.AVAILABLE)
    assert loader.models[1].closed


def test_a_version_that_is_being_unloaded_takes_no_new_requests(manager: VersionManager) -> None:
    manager.want("m", paths(1))
    reach(manager, v1=ServableState.AVAILABLE)
    with manager.use("m", None):
        manager.want("m", {})
        reach(manager, v1=ServableState.UNLOADING)
        with pytest.raises(StatusError) as caught, manager.use("m", 1):
            pass
    assert caught.value.code is grpc.StatusCode.NOT_FOUND
    assert caught.value.message == "Servable not found for request: Specific(m, 1)"


def test_a_bug_in_loading_ends_the_version_and_not_the_manager(loader: FakeLoader) -> None:
    def explode(version: Servable) -> FakeModel:
        if version.number == 1:
            raise ZeroDivisionError("seven")
        return loader(version)

    faulty = VersionManager(explode)
    faulty.want("m", paths(1))
    reach(faulty, v1=ServableState.END)
    faulty.want("m", paths(2))
    reach(faulty, v1=ServableState.END, v2=ServableState.AVAILABLE)
    (error,) = [one.error for one in faulty.seen("m") if one.number == 1]
    assert error is not None
    assert (error.code, error.message) == (grpc.StatusCode.UNKNOWN, "seven")
    faulty.stop()


def test_the_highest_new_version_loads_first(loader: FakeLoader) -> None:
    manager = VersionManager(loader)
    manager.want("m", paths(1, 2, 10))
    reach(manager, v1=ServableState.AVAILABLE, v2=ServableState.AVAILABLE, v10=ServableState.AVAILABLE)
    assert loader.attempts == [10, 2, 1]
    manager.stop()


def test_one_version_loads_at_a_time(loader: FakeLoader) -> None:
    manager = VersionManager(loader)
    loader.held = {2}
    manager.want("m", paths(1, 2))
    reach(manager, v1=ServableState.START, v2=ServableState.LOADING)
    loader.release()
    reach(manager, v1=ServableState.AVAILABLE, v2=ServableState.AVAILABLE)
    manager.stop()


def test_a_version_that_never_began_to_load_just_ends(loader: FakeLoader) -> None:
    manager = VersionManager(loader)
    loader.held = {2}
    manager.want("m", paths(1, 2))
    reach(manager, v1=ServableState.START, v2=ServableState.LOADING)
    manager.want("m", paths(2))
    reach(manager, v1=ServableState.END, v2=ServableState.LOADING)
    loader.release()
    reach(manager, v1=ServableState.END, v2=ServableState.AVAILABLE)
    assert loader.attempts == [2]
    manager.stop()
