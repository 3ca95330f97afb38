"""Versions that come and go below a base path."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.contract.client import AVAILABLE, END, answered, image_request, refusal
from tests.contract.repository import SERVED, write_mean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.client import Server


@pytest.fixture
def rolling(reloading: Server, models: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Serve a model of the test's name, version 1, and give the directory above its versions.

    A server remembers the versions of every name for good, so no two tests share one.
    """
    base = models / request.node.name
    shutil.rmtree(base, ignore_errors=True)
    write_mean(base, 1)
    reloading.reload({**SERVED, base.name: ""})
    yield base
    reloading.reload(SERVED)
    reloading.wait_for_states(base.name, dict.fromkeys(reloading.states(base.name), END))
    shutil.rmtree(base)


def test_a_broken_version_leaves_the_old_one_serving_and_says_why(reloading: Server, rolling: Path) -> None:
    (rolling / "2").mkdir()
    (rolling / "2" / "saved_model.pb").write_bytes(b"not a model")
    reloading.wait_for_states(rolling.name, {1: AVAILABLE, 2: END})
    (broken,) = reloading.status(rolling.name, 2)
    assert broken.status.error_code != 0
    assert broken.status.error_message != ""
    assert answered(reloading.predict(image_request(rolling.name))) == 1007.0
    write_mean(rolling, 3)
    reloading.wait_for_states(rolling.name, {1: END, 2: END, 3: AVAILABLE})


def test_a_failed_number_is_tried_again_after_it_was_away(reloading: Server, rolling: Path) -> None:
    (rolling / "2").mkdir()
    reloading.wait_for_states(rolling.name, {1: AVAILABLE, 2: END})
    (rolling / "2").rmdir()
    # The call returns after the next look at the directories, which is when the server learns that 2 is gone.
    reloading.reload({**SERVED, rolling.name: "", "single": ""})
    write_mean(rolling, 2)
    reloading.wait_for_states(rolling.name, {1: END, 2: AVAILABLE})
    assert answered(reloading.predict(image_request(rolling.name))) == 2007.0


def test_removing_the_newest_version_brings_the_older_back(reloading: Server, rolling: Path) -> None:
    write_mean(rolling, 2)
    reloading.wait_for_states(rolling.name, {1: END, 2: AVAILABLE})
    shutil.rmtree(rolling / "2")
    reloading.wait_for_states(rolling.name, {1: AVAILABLE, 2: END})
    assert answered(reloading.predict(image_request(rolling.name))) == 1007.0


def test_an_empty_base_path_unloads_the_model(reloading: Server, rolling: Path) -> None:
    shutil.rmtree(rolling / "1")
    reloading.wait_for_states(rolling.name, {1: END})
    assert refusal(reloading.predict, image_request(rolling.name))[0] == "NOT_FOUND"


def test_a_base_path_that_is_gone_changes_nothing_for_any_model(reloading: Server, rolling: Path, models: Path) -> None:
    write_mean(models / "other", 1)
    reloading.reload({**SERVED, rolling.name: "", "other": ""})
    aside = models / f"{rolling.name}.aside"
    rolling.rename(aside)
    write_mean(models / "other", 2)
    # A second model's new version is not seen while the first one's base path is away, whatever the polling period.
    with pytest.raises(AssertionError, match="in vain"):
        reloading.wait_for_states("other", {2: AVAILABLE}, timeout_s=2.5)
    assert answered(reloading.predict(image_request(rolling.name))) == 1007.0
    aside.rename(rolling)
    reloading.wait_for_states("other", {1: END, 2: AVAILABLE})
    reloading.reload({**SERVED, rolling.name: ""})
    shutil.rmtree(models / "other")


def test_a_reload_with_a_model_that_fails_says_so(reloading: Server, models: Path) -> None:
    base = models / "failing"
    base.mkdir()
    (base / "1").mkdir()
    code, text = refusal(reloading.reload, {**SERVED, "failing": ""})
    assert code == "UNKNOWN"
    assert text.startswith("1 model(s) did not become available: {{name: failing version: 1} due to error: NOT_FOUND: ")
    assert text.endswith(", }")
    reloading.reload(SERVED)
    shutil.rmtree(base)


def test_a_reload_with_a_model_that_is_not_there_is_never_ok(reloading: Server) -> None:
    models = {**SERVED, "missing": ""}
    code, _ = refusal(reloading.reload, models, timeout_s=1.0)
    assert code in {"DEADLINE_EXCEEDED", "UNKNOWN"}
    reloading.reload(SERVED)
