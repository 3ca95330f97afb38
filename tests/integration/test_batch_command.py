"""``inclinet batch`` as a person runs it: the real gateway over HTTP, fake networks, processes that are killed."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from inclinet.main import app
from tests.support.batch_images import IMAGES, assert_every_row_once, expected, write_images
from tests.support.batch_runs import ROOT, Command, kept, rows_of
from tests.support.fake_serving import FakeServing
from tests.support.gateway import RELEASE
from tests.support.live import Live, live_gateway, networks
from tests.support.manifests import models_of
from tests.support.scripted_gateway import ScriptedGateway
from tests.support.service import UpProcess
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result

HOLD_AFTER = 16
"""Images after which the networks hold. Two partitions of four rows are under way: two others are done by then."""


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with a table that names the images in it."""
    return write_images(tmp_path / "galaxies")


@pytest.fixture
def serving() -> FakeServing:
    return FakeServing(models_of(RELEASE))


@pytest.fixture
def live(serving: FakeServing) -> Iterator[Live]:
    with live_gateway(serving) as live:
        yield live


def test_a_table_of_images_is_measured(live: Live, serving: FakeServing, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    command = Command(out, images / "table.csv", "--url", live.url, "--rows", "16")
    assert command.wait() == 0, command.complained
    assert_every_row_once(out)
    assert serving.seen("vgg6_m0") == IMAGES
    assert command.said == f"{IMAGES} of {IMAGES} rows answered: {out}\n"
    assert command.complained == "Columns read: key: id (the row's own key), file: file (an image).\n"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["out.csv", "out.stderr", "out.stdout"]


def test_a_folder_a_pattern_and_a_list_of_images_are_measured(live: Live, images: Path, tmp_path: Path) -> None:
    folder = images / "images"
    for number, paths in enumerate(([folder], [folder / "*.png"], sorted(folder.iterdir()))):
        out = tmp_path / f"out{number}.csv"
        assert inclinet(*paths, "-o", out, "--url", live.url).exit_code == 0
        rows = rows_of(out)
        assert [PurePath(row["key"]).name for row in rows] == [f"{number:02}.png" for number in range(IMAGES)]
        assert float(rows[9]["inclination_deg"]) == pytest.approx(expected(9), abs=0.01)


def inclinet(*arguments: str | Path, command: str = "batch") -> Result:
    """Call the command line in this process."""
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [command, *map(str, arguments)])


def test_bad_rows_are_counted_by_kind_and_end_with_1(live: Live, images: Path, tmp_path: Path) -> None:
    (images / "images" / "03.png").unlink()
    (images / "images" / "04.png").unlink()
    (images / "images" / "[05].png").write_bytes(b"not an image")
    table = images / "table.csv"
    table.write_text(table.read_text().replace("images/05", "images/[05]").replace("images/06.png", ""))
    out = tmp_path / "out.csv"
    done = inclinet(table, "-o", out, "--url", live.url)
    assert done.exit_code == 1
    # the gateway logs to the same output here
    assert done.stdout.splitlines()[-1] == f"{IMAGES - 4} of {IMAGES} rows answered, 4 failed: {out}"
    summary = " ".join(done.stderr.split())
    assert "bad-target 3 g3: There is no image" in summary
    assert "unsupported-image 1 g5: The file is not an image" in summary
    rows = rows_of(out)
    assert [row["key"] for row in rows if row["problem"]] == ["g3", "g4", "g5", "g6"]
    assert float(rows[7]["inclination_deg"]) == pytest.approx(expected(7), abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.csv", "-o", "out.csv"], "There is nothing at"),
        (["table.txt", "-o", "out.csv"], "None of the columns (a, b) is recognised"),
        (["table.txt", "-o", "out.xls"], "has to end in one of .csv"),
        (["table.txt", "-o", "nowhere/out.csv"], "There is no folder nowhere"),
        (["table.txt"], "Missing option"),
        (["*.jpeg", "-o", "out.csv"], "neither Parquet files nor images at"),
        (["good.csv", "-o", "out.csv", "--url", "gateway.example"], "no address of a gateway"),
        (["good.csv", "good.csv", "-o", "out.csv"], "none by its name"),
        (["good.csv", "-o", "out.csv", "--concurrency", "0"], "concurrency"),
        (["good.csv", "-o", "out.csv", "--column", "x=y"], "is not ROLE=COLUMN"),
        (["good.csv", "-o", "out.csv", "--dask", "--rate", "SDSS=1"], "is not SERVICE=N"),
        (["good.csv", "-o", "out.csv", "--dask", "--serving", "here"], "is not HOST:PORT"),
        (["good.csv", "-o", "out.csv", "--dask", "tcp://127.0.0.1:9"], "need --serving"),
    ],
)
def test_what_can_not_be_carried_out_ends_with_2_and_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.txt").write_text("a,b\n1,2\n")
    (tmp_path / "good.csv").write_text("pgc\n1\n")
    done = inclinet(*arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good.csv", "table.txt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["good.csv", "-o", "out.csv"], "Images are fetched into a folder"),
        (["good.csv", "-o", "out", "--survey", "none"], "There is no survey 'none'"),
        (["nothing.csv", "-o", "out"], "There is nothing at"),
    ],
)
def test_a_fetch_that_can_not_be_carried_out_ends_with_2_and_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.csv").write_text("pgc\n1\n")
    done = inclinet(*arguments, command="fetch")
    assert done.exit_code == 2
    assert words in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["good.csv"]


def test_a_gateway_that_is_not_there_ends_with_3_and_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text("pgc\n1\nwhat\n")
    arguments = (tmp_path / "good.csv", "-o", tmp_path / "out.csv", "--url", "http://127.0.0.1:9", "--patience", "0")
    done = inclinet(*arguments)
    assert done.exit_code == 3
    assert "No result from http://127.0.0.1:9" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["good.csv"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_killed_is_gone_on_with_and_has_every_row_once(
    live: Live, serving: FakeServing, images: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out.csv"
    serving.hold_after = HOLD_AFTER
    arguments: list[str | Path] = [images / "table.csv", "--url", live.url, "--rows", "4", "--concurrency", "2"]
    first = Command(out, *arguments)
    wait_until(lambda: len(kept(out)) >= 8, "eight results", 120)
    code = first.kill(number)
    if number == signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert code == 130
        *_, said = first.complained.splitlines()
        assert said == "Interrupted. What is written stays; the same command goes on from there."
        assert "Traceback" not in first.complained
    assert not out.exists()
    before = [row["key"] for row in kept(out)]
    assert max(Counter(before).values()) == 1
    serving.hold_after = None
    asked = serving.seen("vgg6_m0")
    second = inclinet(*arguments, "-o", out)
    assert second.exit_code == 0, second.stderr
    assert f"of {IMAGES} rows have their result from an earlier run." in second.stderr
    assert_every_row_once(out)
    # what the first run had asked last may still have been under way
    assert IMAGES - len(before) <= serving.seen("vgg6_m0") - asked <= IMAGES - len(before) + 8


def test_a_run_that_reads_what_never_comes_can_be_interrupted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "table.csv").write_text("file\na.png\n")
    gateway = ScriptedGateway()
    with gateway.live() as live:
        command = Command(tmp_path / "out.csv", tmp_path / "table.csv", "--url", live.url)
        # its release is asked for before the folder is made, and again before the first rows
        wait_until(lambda: len(gateway.headers) == 2, "the run to begin", 60)
        assert command.kill(signal.SIGINT) == 130
    assert "Interrupted." in command.complained


@pytest.mark.slow
def test_a_gateway_that_is_killed_and_comes_back_is_asked_the_rest(
    serving: FakeServing, images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    (tmp_path / "manifest.json").write_text(RELEASE.model_dump_json())
    serving.hold_after = HOLD_AFTER
    with networks(serving) as address:
        arguments = (f"--manifest={tmp_path / 'manifest.json'}", f"--serving={address}")
        with UpProcess(tmp_path, *arguments) as gateway:
            url = gateway.url
            command = Command(out, images / "table.csv", "--url", url, "--rows", "4", "--concurrency", "2")
            wait_until(lambda: len(kept(out)) >= 8, "eight results", 120)
            gateway.process.kill()
            wait_until(gateway.ended, "the gateway to die")
        wait_until(lambda: "Waiting: " in command.complained, "the client to notice")
        assert not command.ended
        before = len(kept(out))
        serving.hold_after = None
        with UpProcess(tmp_path, *arguments, f"--port={url.rpartition(':')[2]}"):
            assert command.wait() == 0, command.complained
    assert 8 <= before < IMAGES
    assert_every_row_once(out)


def test_a_disk_that_is_full_stops_the_run_and_loses_nothing(live: Live, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    arguments: list[str | Path] = [images / "table.csv", "--url", live.url, "--rows", "20"]
    command = [*map(str, arguments), "-o", str(out)]
    done = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 10; exec "$@"', "sh", sys.executable, "-m", "inclinet", "batch", *command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 3, done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not out.exists()
    again = inclinet(*arguments, "-o", out)
    assert again.exit_code == 0, again.stderr
    assert_every_row_once(out)


def test_a_terminal_shows_a_bar_and_a_quiet_run_shows_nothing(live: Live, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "inclinet", "batch", str(images / "table.csv"), "-o", str(out), "--url", live.url],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=end,
    )
    os.close(end)
    seen = b""
    while True:
        try:
            some = os.read(terminal, 65536)
        except OSError:  # how a terminal ends
            break
        if not some:
            break
        seen += some
    os.close(terminal)
    assert process.wait(60) == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert re.search(rf"Asking ━+.* \d+/{IMAGES} ", plain)
    out.unlink()
    quiet = Command(out, images / "table.csv", "--url", live.url, "--quiet")
    assert quiet.wait() == 0
    assert (quiet.said, quiet.complained) == ("", "")
    assert_every_row_once(out)
