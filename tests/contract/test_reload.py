"""HandleReloadConfigRequest: what a config may say, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.client import AVAILABLE, END, answered, image_request, refusal
from tests.contract.repository import ALL_VERSIONS, SERVED

if TYPE_CHECKING:
    from tests.contract.client import Server

SINGLE = 'config { name: "single" base_path: "/m/single" '
REFUSED = {
    "a model twice": (
        f"model_config_list {{ {SINGLE} model_platform: 'tensorflow' }} {SINGLE} model_platform: 'tensorflow' }} }}",
        "Illegal to list model single multiple times in config list",
    ),
    "a relative path": (
        "model_config_list { config { name: 'single' base_path: 'm/single' model_platform: 'tensorflow' } }",
        "Expected model single to have an absolute path or URI; got base_path()=m/single",
    ),
    "another platform": (
        "model_config_list { config { name: 'two' base_path: '/m/two' model_platform: 'caffe' } }",
        (
            "Illegal to change a model's platform. For model two platform was tensorflow "
            "and new platform requested is caffe"
        ),
    ),
    "no list": (
        "",
        (
            "ServerModelConfig type not supported by HandleReloadConfigRequest. "
            "Only ModelConfigList is currently supported"
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_config_is_refused_and_changes_nothing(server: Server, case: str) -> None:
    text, message = REFUSED[case]
    assert refusal(server.reload_text, text) == ("INVALID_ARGUMENT", message)
    assert answered(server.predict(image_request())) == 3007.0


def test_a_new_model_is_available_when_the_call_returns(reloading: Server) -> None:
    assert refusal(reloading.predict, image_request("single"))[0] == "NOT_FOUND"
    response = reloading.reload({**SERVED, "single": ""})
    assert (response.status.error_code, response.status.error_message) == (0, "")
    assert answered(reloading.predict(image_request("single"))) == 1007.0


def test_a_model_left_out_is_unloaded_and_remembered_as_ended(reloading: Server) -> None:
    reloading.reload({**SERVED, "single": ""})
    reloading.reload(SERVED)
    reloading.wait_for_states("single", {1: END})
    (entry,) = reloading.status("single")
    assert (entry.status.error_code, entry.status.error_message) == (0, "")
    assert refusal(reloading.predict, image_request("single")) == (
        "NOT_FOUND",
        "Servable not found for request: Latest(single)",
    )


def test_a_policy_says_which_versions_are_served(reloading: Server) -> None:
    reloading.reload({**SERVED, "mean": "model_version_policy { specific { versions: 1 versions: 3 } }"})
    reloading.wait_for_states("mean", {1: AVAILABLE, 2: END, 3: AVAILABLE})
    assert refusal(reloading.predict, image_request(version=2)) == (
        "NOT_FOUND",
        "Servable not found for request: Specific(mean, 2)",
    )
    reloading.reload({**SERVED, "mean": "model_version_policy { latest { num_versions: 2 } }"})
    reloading.wait_for_states("mean", {1: END, 2: AVAILABLE, 3: AVAILABLE})
    reloading.reload({**SERVED, "mean": ""})
    reloading.wait_for_states("mean", {1: END, 2: END, 3: AVAILABLE})


def test_a_label_moves_between_available_versions(reloading: Server) -> None:
    def labelled(version: int) -> dict[str, str]:
        return {**SERVED, "mean": f'{ALL_VERSIONS} version_labels {{ key: "stable" value: {version} }}'}

    reloading.reload(labelled(1))
    response = reloading.predict(image_request(label="stable"))
    assert (response.model_spec.version.value, answered(response)) == (1, 1007.0)
    assert response.model_spec.version_label == ""
    reloading.reload(labelled(2))
    assert answered(reloading.predict(image_request(label="stable"))) == 2007.0
    assert refusal(reloading.reload, labelled(9)) == (
        "FAILED_PRECONDITION",
        "Request to assign label to version 9 of model mean, which is not currently available for inference",
    )


def test_an_empty_list_unloads_everything(reloading: Server) -> None:
    reloading.reload_text("model_config_list {}")
    reloading.wait_for_states("two", {1: END})
    assert refusal(reloading.predict, image_request())[0] == "NOT_FOUND"
