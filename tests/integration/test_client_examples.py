"""The examples in the docstrings of the client, run as they stand; the numbers are those of other networks."""

from __future__ import annotations

import doctest
import importlib
import re
from typing import TYPE_CHECKING, Any

import pytest
import structlog.testing
from astropy.table import Table

from inclinet import Inclinet
from tests.support.imaging import write_bands
from tests.support.live import live_gateway
from tests.support.models import write_repository
from tests.support.pictures import disc, encoded
from tests.support.sky_fakes import FakeSky
from tests.support.sky_universe import universe

if TYPE_CHECKING:
    from pathlib import Path

_NUMBER = re.compile(r"\d+(\.\d*)?\s*|(?<=release )test")


class AnyNumber(doctest.OutputChecker):
    """Takes every number for every other."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        want, got = (_NUMBER.sub("#", text) for text in (want, got))
        return super().check_output(want, got, optionflags | doctest.NORMALIZE_WHITESPACE)


@pytest.mark.slow
def test_the_examples_of_the_docstrings_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "galaxy.jpg").write_bytes(encoded(disc(128), "JPEG"))
    Table({"name": ["NGC 7331", "NGC 628"]}).write(tmp_path / "catalogue.fits")
    write_bands(tmp_path)
    release = write_repository(tmp_path / "release", flavors=1)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INCLINET_MANIFEST", str(release.root / "manifest.json"))
    universe()
    said: list[str] = []
    runner = doctest.DocTestRunner(AnyNumber(), verbose=False)
    # what the gateway logs is no part of what an example prints
    with structlog.testing.capture_logs(), FakeSky() as sky:
        mirrors: dict[str, Any] = {name: tuple(urls) for name, urls in sky.urls.items()}
        with live_gateway(**mirrors) as live:
            monkeypatch.setenv("INCLINET_URL", live.url)
            for name in ("inclinet", "inclinet.answers.answer", "inclinet.client", "inclinet.queries"):
                module = importlib.import_module(name)
                # as a page of the documentation would have imported it
                for example in doctest.DocTestFinder().find(module, globs=dict(vars(module)) | {"Inclinet": Inclinet}):
                    runner.run(example, out=said.append)
    assert runner.tries > 12
    assert runner.failures == 0, "".join(said)
