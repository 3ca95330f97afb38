"""A mirror that fails is left alone, tried once, and trusted again."""

from __future__ import annotations

from gateway.sky.http.circuit_breaker import CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def state(circuit: CircuitBreaker) -> str:
    return circuit.state


def opened(clock: Clock) -> CircuitBreaker:
    circuit = CircuitBreaker(failures=3, rest_s=30, clock=clock)
    for _ in range(3):
        assert circuit.enter()
        circuit.fail()
    return circuit


def test_failures_in_a_row_open_it_and_a_success_between_does_not() -> None:
    circuit = CircuitBreaker(failures=3, rest_s=30, clock=Clock())
    for _ in range(5):
        circuit.fail()
        circuit.fail()
        circuit.succeed()
    assert state(circuit) == "closed"
    for _ in range(3):
        circuit.fail()
    assert state(circuit) == "open"
    assert not circuit.enter()


def test_after_its_rest_one_call_probes_and_success_closes_it() -> None:
    clock = Clock()
    circuit = opened(clock)
    assert circuit.retry_after_s() == 30
    clock.now += 30
    assert state(circuit) == "half-open"
    assert circuit.enter()
    assert not circuit.enter()
    circuit.succeed()
    assert state(circuit) == "closed"
    assert circuit.enter()


def test_a_failed_probe_opens_it_again() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now += 31
    assert circuit.enter()
    circuit.fail()
    assert state(circuit) == "open"
    assert circuit.retry_after_s() == 30


def test_an_abandoned_probe_leaves_room_for_the_next() -> None:
    clock = Clock()
    circuit = opened(clock)
    clock.now += 31
    assert circuit.enter()
    circuit.abandon()
    assert circuit.enter()


def test_a_mirror_that_asks_for_patience_gets_it_without_being_distrusted() -> None:
    clock = Clock()
    circuit = CircuitBreaker(failures=3, rest_s=30, clock=clock)
    circuit.rest(7)
    assert not circuit.enter()
    assert circuit.asked_rest_s() == circuit.retry_after_s() == 7
    clock.now += 7
    assert state(circuit) == "closed"
    assert circuit.enter()
