from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.support.networks import noise_pictures
from training.networks import architectures
from training.networks.architectures import ARCHITECTURES
from training.networks.train import predict


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_is_named_after_its_convolutions_and_stays_within_its_budget(name: str) -> None:
    architecture = ARCHITECTURES[name]
    network = architectures.build(architecture, "inclination", seed=1)
    assert name == architecture.name == f"vgg{sum(map(len, architecture.stages))}"
    assert network.count_params() < 1_700_000  # 80 MB for all of them


def test_the_fifteen_networks_of_a_release_cost_at_most_1_3_billion_multiply_adds_a_galaxy() -> None:
    networks = [architectures.build(one, "inclination", seed=1) for one in ARCHITECTURES.values()]
    assert len(networks) == 3
    assert 5 * sum(map(architectures.multiply_adds, networks)) <= 1.2e9


def changed(one: architectures.Architecture, **values: object) -> architectures.Architecture:
    return dataclasses.replace(one, **values)  # type: ignore[arg-type]  # as the test names them


WIDE = architectures.Architecture("wide1", ((6,), (8,), (8,), (10,)), hidden=12, stride=2)


@pytest.mark.parametrize("average", [False, True])
def test_a_network_takes_over_what_one_of_its_own_widths_knows(average: bool) -> None:  # noqa: FBT001 - a parameter
    wide = changed(WIDE, average=average)
    source, network = (architectures.build(wide, "inclination", seed=seed) for seed in (1, 2))
    assert architectures.take_over(network, weights_of(source))
    assert predict(network, noise_pictures(3)) == pytest.approx(predict(source, noise_pictures(3)), abs=1e-6)


@pytest.mark.parametrize("average", [False, True])
def test_a_narrower_network_takes_over_the_units_that_are_used(average: bool) -> None:  # noqa: FBT001 - a parameter
    wide = changed(WIDE, average=average)
    source = architectures.build(wide, "inclination", seed=1)
    unused = [2, 5, 0, 7, 11]
    for layer, one in zip([one for one in source.layers if hasattr(one, "kernel")], unused, strict=False):
        kernel, bias = layer.get_weights()
        kernel[..., one] = bias[one] = 0
        layer.set_weights([kernel, bias])
    narrow = changed(wide, stages=((5,), (7,), (7,), (9,)), hidden=11)
    network = architectures.build(narrow, "inclination", seed=2)
    assert architectures.take_over(network, weights_of(source))
    assert predict(network, noise_pictures(3)) == pytest.approx(predict(source, noise_pictures(3)), abs=1e-5)


@pytest.mark.parametrize(
    "other", [{"stages": ((6,), (8,), (8, 10))}, {"hidden": 13}, {"stride": 1}, {"stages": ((7,), (8,), (8,), (10,))}]
)
def test_a_network_that_is_no_narrower_one_is_left_as_it_was(other: dict[str, object]) -> None:
    source = architectures.build(WIDE, "inclination", seed=1)
    network = architectures.build(changed(WIDE, **other), "inclination", seed=2)
    before = network.get_weights()
    assert not architectures.take_over(network, weights_of(source))
    assert all((mine == theirs).all() for mine, theirs in zip(before, network.get_weights(), strict=True))


def weights_of(network: object) -> list[np.ndarray]:
    return [one for layer in network.layers if hasattr(layer, "kernel") for one in layer.get_weights()]  # type: ignore[attr-defined]  # Keras ships no types


def test_a_network_answers_nearly_the_same_on_the_scale_of_a_wider_range() -> None:
    network = architectures.build(WIDE, "inclination", seed=1)
    before = architectures.from_scale(predict(network, noise_pictures(8)), (45.0, 90.0))
    architectures.change_range(network, (45.0, 90.0), (0.0, 90.0))
    after = architectures.from_scale(predict(network, noise_pictures(8)), (0.0, 90.0))
    assert after == pytest.approx(before, abs=5)  # a tanh is no other, shifted
    assert (np.argsort(after[:, 0]) == np.argsort(before[:, 0])).all()


def test_the_scale_of_the_output_spans_the_label_range() -> None:
    labels = np.array([30.0, 45.0, 67.5, 90.0])
    scaled = architectures.to_scale(labels, (45.0, 90.0))
    assert scaled.tolist() == [-1, -1, 0, 1]
    assert architectures.from_scale(scaled, (45.0, 90.0)).tolist() == [45, 45, 67.5, 90]
