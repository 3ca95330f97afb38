from __future__ import annotations

import numpy as np
import pytest

from training.networks import architectures
from training.networks.architectures import ARCHITECTURES


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_architecture_is_named_after_its_convolutions_and_stays_within_its_budget(name: str) -> None:
    architecture = ARCHITECTURES[name]
    network = architectures.build(architecture, "inclination", seed=1)
    assert name == architecture.name == f"vgg{sum(map(len, architecture.stages))}"
    # 40 ms a galaxy on two cores for five networks of each, of which 1,000 million take 10 ms; 80 MB for all of them
    # as the model card counts them
    assert architectures.multiply_adds(network) < 230e6
    assert network.count_params() < 1_700_000


def test_a_release_has_three_architectures_and_the_simplest_is_as_large_as_the_original_s() -> None:
    assert len(ARCHITECTURES) == 3
    simplest = architectures.build(ARCHITECTURES["vgg4"], "inclination", seed=1)
    assert simplest.count_params() == pytest.approx(1.6e6, rel=0.03)


def test_the_scale_of_the_output_spans_the_label_range() -> None:
    labels = np.array([30.0, 45.0, 67.5, 90.0])
    scaled = architectures.to_scale(labels, (45.0, 90.0))
    assert scaled.tolist() == [-1, -1, 0, 1]
    assert architectures.from_scale(scaled, (45.0, 90.0)).tolist() == [45, 45, 67.5, 90]
