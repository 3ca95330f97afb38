"""The whole service as a user starts it: real processes, real gRPC, TensorFlow running (tiny) SavedModels."""

from __future__ import annotations

import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import httpx
import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

from inclinet.main import app
from tests.support.models import flavor_answer, rejector_answer, write_flavor, write_repository
from tests.support.pictures import disc, encoded
from tests.support.service import UpProcess
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

    from tests.support.models import Repository

pytestmark = pytest.mark.slow

DISC = disc(128)
PNG = encoded(DISC, "PNG")
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return write_repository(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def up(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    with UpProcess(tmp_path_factory.mktemp("up"), f"--manifest={repository.root / 'manifest.json'}") as service:
        yield service


def ask(url: str, data: bytes = PNG) -> httpx.Response:
    return httpx.post(f"{url}/api/file", files={"file": ("galaxy.png", data)}, timeout=60)


def test_an_image_goes_in_and_an_inclination_comes_out(up: UpProcess) -> None:
    answer = ask(up.url).json()
    expected = flavor_answer(DISC[None])[0]
    assert [one["inclination_deg"] for one in answer["flavors"]] == pytest.approx(
        [expected, expected + 1, expected + 2, expected + 3], abs=0.02
    )
    assert answer["inclination"]["median_deg"] == pytest.approx(expected + 1.5, abs=0.02)
    assert {one["version"] for one in answer["flavors"]} == {1}
    assert answer["rejection"]["median"] == pytest.approx(rejector_answer(DISC[None])[0], abs=1e-3)


def test_the_gateway_stays_small_and_without_the_runtime_over_hundreds_of_requests(
    up: UpProcess,
) -> None:
    with httpx.Client(base_url=up.url, timeout=60) as client, ThreadPoolExecutor(8) as pool:

        def once(_number: int) -> int:
            return client.post("/api/file", files={"file": ("galaxy.png", PNG)}).status_code

        assert set(pool.map(once, range(200))) == {200}
    assert up.process.memory_info().rss < 150 * MEGABYTE
    mapped = {Path(one.path).name for one in up.process.memory_maps()}
    assert not any("tensorflow" in name for name in mapped)


def test_requests_that_were_accepted_are_answered_before_a_signal_ends_the_gateway(tmp_path: Path) -> None:
    slow = write_repository(tmp_path / "release", busy=40)
    # however long the networks take on this machine, it is no reason to give up
    patient = {"INCLINET_REQUEST_TIMEOUT_S": "120", "INCLINET_PREDICT_TIMEOUT_S": "110"}
    service = UpProcess(tmp_path, f"--manifest={slow.root / 'manifest.json'}", environment=patient).start()
    url = service.url
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(ask, url) for _ in range(4)]

        def inside() -> bool:
            return "inclinet_requests_inside 4.0" in httpx.get(f"{url}/metrics", timeout=30).text

        wait_until(lambda: inside() or all(one.done() for one in answers), "the requests to be inside")
        service.stop()
        assert [one.result().status_code for one in answers] == [200] * 4


def test_the_networks_end_even_when_the_gateway_is_killed(repository: Repository, tmp_path: Path) -> None:
    service = UpProcess(tmp_path, f"--manifest={repository.root / 'manifest.json'}").start()
    (networks,) = service.process.children()
    service.stop(signal.SIGKILL)
    wait_until(lambda: not networks.is_running(), "the networks to be gone")


def test_a_taken_port_is_a_clear_error_before_anything_is_started(repository: Repository, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = up_in_vain(tmp_path, f"--port={port}", f"--manifest={repository.root / 'manifest.json'}")
    assert f"Port {port} on 127.0.0.1 is taken by another program. Choose another: make run PORT=" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_bad_manifest_is_a_clear_error(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text("{}")
    assert "release" in up_in_vain(tmp_path, "--port=0", f"--manifest={manifest}").stderr


def up_in_vain(folder: Path, *arguments: str) -> Result:
    """Call ``inclinet up`` in this process, where it ends before it starts anything."""
    log = f"--serving-log={folder / 'serving.log'}"
    # the logs of this process stay where they are: the runner's output is closed behind it
    with patch("inclinet_service.up.configure_logging"):
        done = CliRunner().invoke(app, ["up", log, *arguments], env={"COLUMNS": "300"})
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit)
    return done


def test_networks_that_can_not_be_loaded_are_a_clear_error(tmp_path: Path) -> None:
    broken = write_repository(tmp_path / "release", flavors=1, rejectors=0)
    (broken.base("tiny_m0") / "1" / "saved_model.pb").write_bytes(b"not a model")
    service = UpProcess(tmp_path, f"--manifest={broken.root / 'manifest.json'}")
    service.launch()
    wait_until(service.ended, "it to give up", 240)
    assert service.stop() == 2
    assert "could not be started" in service.output()
    assert "Traceback" not in service.output()


def test_the_command_line_asks_the_service(up: UpProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # short names: a terminal that was opened before is 80 columns wide, and breaks long ones
    monkeypatch.chdir(tmp_path)
    Path("galaxy[1].png").write_bytes(PNG)
    Path("notes.txt").write_text("not an image")

    def inclinet(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--url", up.url])

    table = inclinet("image", "galaxy[1].png", "notes.txt", "missing.png")
    assert table.exit_code == 1
    assert "galaxy[1].png" in table.stdout
    assert "not an image" in table.stdout
    assert "No such file" in table.stdout
    one = inclinet("image", "--json", "galaxy[1].png")
    assert one.exit_code == 0
    assert json.loads(one.stdout)["inclination"]["median_deg"] == pytest.approx(
        flavor_answer(DISC[None])[0] + 1.5, abs=0.02
    )
    framed = inclinet("image", "--json", "--x", "60", "--y", "70", "--side", "40", "galaxy[1].png")
    expected = {"x": 60.0, "y": 70.0, "side": 40.0, "chosen_by": "caller"}
    assert json.loads(framed.stdout)["image"]["frame"] == expected
    assert inclinet("image", "--json", "--frame", "whole", "galaxy[1].png").stdout == one.stdout


def test_a_version_that_appears_beside_the_release_s_under_load_changes_no_answer(
    up: UpProcess, repository: Repository
) -> None:
    url = up.url
    with ThreadPoolExecutor(4) as pool:
        stop: list[bool] = []
        answers: list[httpx.Response] = []

        def load() -> None:
            while not stop:
                answers.append(ask(url))

        loads = [pool.submit(load) for _ in range(4)]
        write_flavor(repository.base("tiny_m0"), version=2, offset_deg=0.0)
        wait_until(lambda: len(answers) > 40 or any(one.done() for one in loads), "answers after it appeared", 60)
        stop.append(True)
        for one in loads:
            one.result()
    assert {answer.status_code for answer in answers} == {200}
    expected = flavor_answer(np.stack([DISC]))[0]
    for answer in answers:
        first = answer.json()["flavors"][0]
        assert (first["version"], first["inclination_deg"]) == (1, pytest.approx(expected, abs=0.006))


def networks_of(service: UpProcess) -> psutil.Process:
    (one,) = [one for one in service.process.children() if one.status() != psutil.STATUS_ZOMBIE]
    return one


def test_networks_that_die_are_started_again_where_they_were_and_a_signal_ends_everything(
    repository: Repository, tmp_path: Path
) -> None:
    with UpProcess(tmp_path, f"--manifest={repository.root / 'manifest.json'}") as service:
        first = networks_of(service)
        assert service.process.children(recursive=True) == [first]
        port = [word for word in first.cmdline() if word.startswith("--port=")]
        first.kill()
        wait_until(lambda: "They are started again" in service.output(), "it to be said")
        wait_until(lambda: ask(service.url).status_code == 200, "an answer of the new networks", 60)
        again = networks_of(service)
        assert again.pid != first.pid
        assert [word for word in again.cmdline() if word.startswith("--port=")] == port
        assert service.output().count("The networks ended") == 1
        family = [service.process, *service.process.children(recursive=True)]
        assert service.stop(signal.SIGTERM) in {0, -signal.SIGTERM}
    wait_until(lambda: not any(one.is_running() for one in family), "every process to be gone")
    assert "Traceback" not in service.output()


def test_networks_that_die_again_and_again_are_given_up_with_their_last_words(tmp_path: Path) -> None:
    release = write_repository(tmp_path / "release", flavors=1, rejectors=0)
    service = UpProcess(tmp_path, f"--manifest={release.root / 'manifest.json'}").start()
    (release.base("tiny_m0") / "1" / "saved_model.pb").write_bytes(b"not a model")
    networks_of(service).kill()
    wait_until(service.ended, "it to give up", 240)
    assert service.stop() == 2
    assert "The networks ended 6 times in a row" in service.output()
    assert "tiny_m0" in service.output()
    assert "Traceback" not in service.output()


def test_a_signal_while_the_networks_are_away_ends_everything(tmp_path: Path) -> None:
    release = write_repository(tmp_path / "release", flavors=1, rejectors=0)
    service = UpProcess(tmp_path, f"--manifest={release.root / 'manifest.json'}").start()
    family = [service.process, networks_of(service)]
    (release.base("tiny_m0") / "1" / "saved_model.pb").write_bytes(b"not a model")
    family[1].kill()
    wait_until(lambda: service.output().count("The networks ended") > 1, "it to die again", 120)
    assert service.stop() in {0, -signal.SIGINT}
    wait_until(lambda: not any(one.is_running() for one in family), "every process to be gone")
    assert "Traceback" not in service.output()
