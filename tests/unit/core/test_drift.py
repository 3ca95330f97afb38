from __future__ import annotations

import numpy as np
import pytest

from gateway.core.drift import expectation
from gateway.core.manifest import Manifest, read_manifest
from tests.support.deployment import ROOT
from tests.support.manifests import manifest


def told(
    singles: list[dict[str, float]], ensemble: dict[str, float], rejectors: list[dict[str, float]] | None = None
) -> Manifest:
    """A release with these metrics."""
    plain = manifest(len(singles), rejectors=1)
    return plain.model_copy(
        update={
            "flavors": tuple(
                one.model_copy(update={"metrics": known}) for one, known in zip(plain.flavors, singles, strict=True)
            ),
            "rejectors": tuple(plain.rejectors[0].model_copy(update={"metrics": known}) for known in rejectors or []),
            "metrics": ensemble,
        }
    )


def test_the_spread_follows_from_the_errors_of_the_members_and_of_their_mean() -> None:
    rng = np.random.default_rng(3)
    labels = rng.uniform(45, 90, 500)
    said = labels + rng.normal(0, 2, 500) + rng.normal(0, 1.5, (5, 500)) + np.array([[0.4], [-0.3], [0.0], [0.8], [-1]])
    singles = [{"rms_deg": float(np.sqrt(np.mean((one - labels) ** 2)))} for one in said]
    mean = {"rms_deg": float(np.sqrt(np.mean((said.mean(axis=0) - labels) ** 2)))}
    spread = np.sqrt(np.mean(np.var(said, axis=0, ddof=1)))
    assert expectation(told(singles, mean)).stdev_deg == pytest.approx(spread, rel=1e-12)


@pytest.mark.parametrize(
    ("singles", "ensemble"),
    [
        ([{"rms_deg": 3.0}], {"rms_deg": 3.0}),
        ([{"rms_deg": 3.0}, {"rms_deg": 3.0}], {"rms_deg": 3.1}),
        ([{"rms_deg": 3.0}, {}], {"rms_deg": 2.0}),
        ([{"rms_deg": 3.0}, {"rms_deg": 3.0}], {}),
    ],
    ids=["one flavor", "no gain", "a flavor untold", "an ensemble untold"],
)
def test_a_manifest_that_does_not_tell_the_spread_expects_none(
    singles: list[dict[str, float]], ensemble: dict[str, float]
) -> None:
    assert expectation(told(singles, ensemble)).stdev_deg is None


def test_the_share_of_rejections_is_what_the_rejectors_said_of_the_test_images() -> None:
    # of 20 images 5 are bad; the first rejector names 4 images, 2 of them rightly, the second 6 and 3 of them
    known = {"rejected": 5.0, "kept": 15.0}
    first, second = known | {"precision": 2 / 4, "recall": 2 / 5}, known | {"precision": 3 / 6, "recall": 3 / 5}
    both = told([{"rms_deg": 3.0}], {}, [first, second])
    assert expectation(both).rejected_share == pytest.approx((4 / 20 + 6 / 20) / 2)
    assert expectation(told([{"rms_deg": 3.0}], {}, [{"roc_area": 0.9}])).rejected_share is None
    assert expectation(told([{"rms_deg": 3.0}], {})).rejected_share is None


def test_a_flavor_stands_where_its_bias_puts_it_beside_the_ensembles() -> None:
    release = told([{"bias_deg": 0.5}, {"bias_deg": -0.25}, {}], {"bias_deg": 0.1})
    assert expectation(release).deviation_deg == {"vgg6_m0": pytest.approx(0.4), "vgg6_m1": pytest.approx(-0.35)}
    assert expectation(told([{"bias_deg": 0.5}], {})).deviation_deg == {}


def test_the_committed_release_tells_what_to_expect() -> None:
    expected = expectation(read_manifest(ROOT / "model_repo" / "manifest.json"))
    assert expected.stdev_deg is not None
    assert 0.1 < expected.stdev_deg < 6
    assert expected.rejected_share is not None
    assert 0 < expected.rejected_share < 0.5
