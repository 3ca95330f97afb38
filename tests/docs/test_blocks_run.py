"""Every block of code of the pages is run, in the order of its page, in a folder with the files that the pages name."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.pages import PAGES, README_GALAXY, ROOT, Block, Shell, blocks, lay_out
from tests.support.service import UpProcess

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

RUN = ("sh", "python")


def is_run(block: Block) -> bool:
    return (block.language in RUN and block.reason is None) or block.how == "output"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not shutil.which("curl"):
        pytest.skip("the pages ask with curl, which is not here")
    release = {"INCLINET_MANIFEST": str(ROOT / "model_repo" / "manifest.json")}
    with UpProcess(tmp_path_factory.mktemp("demo"), environment=release, demo=True) as demo:
        yield demo.url


@pytest.mark.parametrize("page", [page for page in PAGES if any(map(is_run, blocks(page)))])
def test_what_a_page_says_can_be_done(page: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INCLINET_URL", url)
    shell = Shell(tmp_path, url)
    namespace: dict[str, object] = {}
    printed = ""
    for block in filter(is_run, blocks(page)):
        if block.how == "output":
            assert_shown(json.loads(block.text), json.loads(printed), f"{block.page}:{block.line}")
        elif block.language == "sh":
            done = shell.run(block.text)
            printed = done.stdout
            assert (done.returncode != 0) == (block.how == "fails"), f"{block}\n{printed}\n{done.stderr}"
        else:
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(block.text, f"{block.page}:{block.line}", "exec"), namespace)  # noqa: S102 - of a page
            printed = output.getvalue()


def assert_shown(shown: Any, printed: Any, where: str) -> None:
    """Hold what a page shows of an answer, perhaps shortened, to what came; numbers where the picture is at hand."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            assert key in printed, f"{where}: {key}"
            assert_shown(value, printed[key], f"{where}.{key}")
    elif isinstance(shown, list):
        for index, value in enumerate(shown):
            assert_shown(value, printed[index], f"{where}[{index}]")
    elif isinstance(shown, float):
        assert isinstance(printed, float), where
        assert printed == pytest.approx(shown, abs=0.2) or not README_GALAXY.exists(), where
    else:
        assert printed == shown, where


def test_the_notebook_runs_and_draws_what_the_site_shows(url: str, tmp_path: Path) -> None:
    from tests.docs.notebook import committed, executed, kinds  # its libraries take two seconds to import

    assert kinds(executed(tmp_path, url)) == kinds(committed())
