"""The whole service for as long as a program needs it."""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING

import pytest

from inclinet import Inclinet, errors
from tests.support.models import write_repository
from tests.support.pictures import disc, encoded

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_networks_and_gateway_are_there_within_the_block_and_gone_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = write_repository(tmp_path / "release", flavors=1)
    # a gateway of the environment's is another one
    monkeypatch.setenv("INCLINET_SERVING", "127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    with Inclinet.local(release.root / "manifest.json") as inclinet:
        answer = inclinet.query_image(encoded(disc(128), "PNG"))
        assert list(answer.flavors) == ["tiny_m0"]
        url = inclinet.url
    with Inclinet(url) as inclinet, pytest.raises(errors.Unreachable):
        inclinet.release()
    assert {one.name for one in tmp_path.iterdir()} == {"release"}, "nothing is left where it was started"


def test_what_keeps_it_from_starting_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(errors.ServiceMissing, match=r"did not start. It said: .*manifest.* can't be read"),
        Inclinet.local(tmp_path / "manifest.json"),
    ):
        pass


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with (
        pytest.raises(errors.ServiceMissing, match=r"TensorFlow.*pip install 'inclinet-service\[serving\]'"),
        Inclinet.local(),
    ):
        pass
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_of: ())
    with pytest.raises(errors.ServiceMissing, match="not installed here"), Inclinet.local():
        pass
