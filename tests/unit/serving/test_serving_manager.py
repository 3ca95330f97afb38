"""The life of versions, with models that load when they are told to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import grpc
import pytest

from serving import status
from serving.manager import Manager, State, Version
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

    def __call__(self, version: Version) -> FakeModel:
        self.attempts.append(version.number)
        if version.number in self.held:
            assert self._released.wait(10)
        if version.number in self.failing:
            raise status.StatusError(grpc.StatusCode.DATA_LOSS, f"version {version.number} is broken")
        self.models[version.number] = FakeModel()
        return self.models[version.number]


@pytest.fixture
def loader() -> FakeLoader:
    return FakeLoader()


@pytest.fixture
def manager(loader: FakeLoader) -> Iterator[Manager]:
    manager = Manager(loader, load_threads=2, retries=0, retry_interval_s=60.0)
    yield manager
    loader.release()
    manager.stop()


def paths(*numbers: int) -> dict[int, str]:
    return {number: f"/m/{number}" for number in numbers}


def states(manager: Manager) -> dict[int, State]:
    return {number: state for number, state, _ in manager.states("m")}


def reach(manager: Manager, **wanted: State) -> None:
    expected = {int(name[1:]): state for name, state in wanted.items()}
    wait_until(lambda: states(manager) == expected, f"{expected}, not {states(manager)}", timeout_s=10)


def latest(manager: Manager) -> int:
    with manager.use("m", None) as version:
        return version.number


def test_the_old_version_serves_until_the_new_one_is_loaded(manager: Manager, loader: FakeLoader) -> None:
    manager.want("m", paths(1))
    reach(manager, v1=State.AVAILABLE)
    loader.held = {2}
    manager.want("m", paths(2))
    reach(manager, v1=State.AVAILABLE, v2=State.LOADING)
    assert latest(manager) == 1
    loader.release()
    reach(manager, v1=State.END, v2=State.AVAILABLE)
    assert latest(manager) == 2
    assert loader.models[1].closed


def test_a_version_in_use_is_not_closed_until_it_is_given_back(manager: Manager, loader: FakeLoader) -> None:
    manager.want("m", paths(1))
    reach(manager, v1=State.AVAILABLE)
    with manager.use("m", None) as version:
        manager.want("m", paths(2))
        reach(manager, v1=State.UNLOADING, v2=State.AVAILABLE)
        assert version.number == 1
        assert latest(manager) == 2
        assert not loader.models[1].closed
    reach(manager, v1=State.END, v2=State.AVAILABLE)
    assert loader.models[1].closed


def test_a_version_that_is_being_unloaded_takes_no_new_requests(manager: Manager) -> None:
    manager.want("m", paths(1))
    reach(manager, v1=State.AVAILABLE)
    with manager.use("m", None):
        manager.want("m", {})
        reach(manager, v1=State.UNLOADING)
        with pytest.raises(status.StatusError) as caught, manager.use("m", 1):
            pass
    assert caught.value.code is grpc.StatusCode.NOT_FOUND
    assert caught.value.message == "Servable not found for request: Specific(m, 1)"


def test_a_failed_version_leaves_the_old_one_and_is_not_tried_again(manager: Manager, loader: FakeLoader) -> None:
    loader.failing = {2}
    manager.want("m", paths(1))
    reach(manager, v1=State.AVAILABLE)
    manager.want("m", paths(2))
    reach(manager, v1=State.AVAILABLE, v2=State.END)
    manager.want("m", paths(2))
    manager.want("m", paths(3))
    reach(manager, v1=State.END, v2=State.END, v3=State.AVAILABLE)
    assert loader.attempts == [1, 2, 3]
    errors = {number: error for number, _, error in manager.states("m")}
    assert errors[2] is not None
    assert errors[2].message == "version 2 is broken"
    assert errors[1] is None


def test_when_the_failed_version_goes_away_the_old_one_simply_goes_on(manager: Manager, loader: FakeLoader) -> None:
    loader.failing = {2}
    manager.want("m", paths(1))
    reach(manager, v1=State.AVAILABLE)
    manager.want("m", paths(2))
    reach(manager, v1=State.AVAILABLE, v2=State.END)
    manager.want("m", paths(1))
    assert latest(manager) == 1
    loader.failing = set()
    manager.want("m", paths(2))
    reach(manager, v1=State.END, v2=State.AVAILABLE)
    assert loader.attempts == [1, 2, 2]


def test_a_failed_load_is_tried_again_while_the_version_is_wanted() -> None:
    loader = FakeLoader()
    loader.failing = {1}
    manager = Manager(loader, load_threads=1, retries=2, retry_interval_s=0.0)
    manager.want("m", paths(1))
    reach(manager, v1=State.END)
    assert loader.attempts == [1, 1, 1]
    manager.stop()


def test_retries_end_when_the_version_is_no_longer_wanted() -> None:
    loader = FakeLoader()
    loader.failing = {1}
    manager = Manager(loader, load_threads=1, retries=5, retry_interval_s=600.0)
    manager.want("m", paths(1))
    wait_until(lambda: loader.attempts, "the first attempt")
    manager.want("m", {})
    reach(manager, v1=State.END)
    assert loader.attempts == [1]
    manager.stop()


def test_a_bug_in_loading_ends_the_version_and_not_the_manager(loader: FakeLoader) -> None:
    def explode(version: Version) -> FakeModel:
        if version.number == 1:
            raise ZeroDivisionError("seven")
        return loader(version)

    faulty = Manager(explode, load_threads=1, retries=0, retry_interval_s=0.0)
    faulty.want("m", paths(1))
    reach(faulty, v1=State.END)
    faulty.want("m", paths(2))
    reach(faulty, v1=State.END, v2=State.AVAILABLE)
    ((_, _, error),) = [entry for entry in faulty.states("m") if entry[0] == 1]
    assert error is not None
    assert (error.code, error.message) == (grpc.StatusCode.UNKNOWN, "seven")
    faulty.stop()


def test_the_highest_new_version_loads_first(loader: FakeLoader) -> None:
    manager = Manager(loader, load_threads=1, retries=0, retry_interval_s=0.0)
    manager.want("m", paths(1, 2, 10))
    reach(manager, v1=State.AVAILABLE, v2=State.AVAILABLE, v10=State.AVAILABLE)
    assert loader.attempts == [10, 2, 1]
    manager.stop()


def test_no_more_versions_load_at_a_time_than_there_are_threads(loader: FakeLoader) -> None:
    manager = Manager(loader, load_threads=1, retries=0, retry_interval_s=0.0)
    loader.held = {2}
    manager.want("m", paths(1, 2))
    reach(manager, v1=State.START, v2=State.LOADING)
    loader.release()
    reach(manager, v1=State.AVAILABLE, v2=State.AVAILABLE)
    manager.stop()


def test_waiting_ends_with_the_first_available_version(manager: Manager, loader: FakeLoader) -> None:
    loader.failing = {1}
    manager.want("m", paths(1, 2))
    assert manager.wait_until_served(["m"], lambda: False) == []


def test_waiting_tells_which_versions_failed(manager: Manager, loader: FakeLoader) -> None:
    loader.failing = {1, 2}
    manager.want("m", paths(1, 2))
    assert {version.number for version in manager.wait_until_served(["m"], lambda: False)} == {1, 2}


def test_waiting_can_be_given_up(manager: Manager) -> None:
    gave_up = threading.Event()
    waiter = threading.Thread(target=manager.wait_until_served, args=(["nobody"], gave_up.is_set))
    waiter.start()
    gave_up.set()
    manager.wake()
    waiter.join(10)
    assert not waiter.is_alive()


def test_a_version_that_never_began_to_load_just_ends(loader: FakeLoader) -> None:
    manager = Manager(loader, load_threads=1, retries=0, retry_interval_s=0.0)
    loader.held = {2}
    manager.want("m", paths(1, 2))
    reach(manager, v1=State.START, v2=State.LOADING)
    manager.want("m", paths(2))
    reach(manager, v1=State.END, v2=State.LOADING)
    loader.release()
    reach(manager, v1=State.END, v2=State.AVAILABLE)
    assert loader.attempts == [2]
    manager.stop()
