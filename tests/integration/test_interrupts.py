"""Ctrl-C and SIGTERM end a command with one sentence and 130, whatever it is doing."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.batch_runs import ROOT, kept, rows_of, run, table_of
from tests.support.scripted_gateway import ScriptedGateway

if TYPE_CHECKING:
    from pathlib import Path

SENTENCE = "Interrupted. What is written stays; the same command goes on from there.\n"
IN_ORDER = "inner closed\nouter closed\n"
COLLIDED = IN_ORDER if sys.version_info < (3, 13) else "inner closed\n"
"""From Python 3.13 on a group that fails while it is cancelled cancels its task once more: what lies outside of it gets
no time to close."""
MOMENTS = 8
"""Of a batch that is interrupted at each of them in turn."""

CLOSED = {
    "in_a_task_of_a_group": COLLIDED,
    "twice_in_a_task": COLLIDED,
    "again_while_it_closes": COLLIDED,
    "in_a_callback_of_the_loop": COLLIDED,
    "where_cancelling_is_swallowed": f"{COLLIDED}swallowed\n",
    "in_a_thread_that_ends": "outer closed\n",
    "in_a_thread_that_never_ends": "outer closed\n",
}
"""What commands have open when they are interrupted, in the order in which it has to be closed."""


def interrupted(signal: str, *arguments: object) -> dict[str, tuple[int, str, str]]:
    """Return for each moment the exit code and what was said and complained of."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.interrupted", signal, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return {moment: (code, said, complained) for moment, (code, said, complained) in json.loads(done.stdout).items()}


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_a_signal_closes_what_is_open_in_order_and_says_one_sentence(signal: str, tmp_path: Path) -> None:
    moments = interrupted(signal, tmp_path / "pgc.csv")
    download = moments.pop("download")
    assert len(moments) == 13
    for moment, ended in moments.items():
        assert ended == (130, CLOSED.get(moment, ""), SENTENCE), moment
    assert download == (130, COLLIDED, f"Interrupted. {tmp_path / 'pgc.csv'} is not written.\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_batch_can_be_interrupted_anywhere_and_goes_on(tmp_path: Path) -> None:
    table = table_of(tmp_path / "table.csv", range(1, 13))
    gateway = ScriptedGateway()
    with gateway.live() as live:
        moments = interrupted("SIGINT", MOMENTS, tmp_path, table, "--url", live.url, "--rows", 4, "--quiet")
        assert moments.pop("whole")[0] == 0
        for moment, ended in moments.items():
            assert ended == (130, "", SENTENCE), moment
        assert len(moments) == MOMENTS
        for number in range(MOMENTS):
            out = tmp_path / f"{number}.csv"
            before = kept(out)
            asked = gateway.asked.total()
            run(table, out, live.url, rows=4)
            assert [row["pgc"] for row in rows_of(out)] == [str(pgc) for pgc in range(1, 13)]
            assert gateway.asked.total() - asked == 12 - len(before)
