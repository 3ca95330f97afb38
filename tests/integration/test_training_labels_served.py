"""Labels of a table that an archive serves, faked over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from tests.support.sky_http import FakeReply
from tests.support.sky_services import FakeSkyServer
from training import __main__ as cli

if TYPE_CHECKING:
    from pathlib import Path


def test_labels_are_made_of_a_table_that_an_archive_serves(tmp_path: Path) -> None:
    class Tables(FakeSkyServer):
        def answer(self, request: Any) -> Any:
            assert request.path == "/zoo.txt"
            rows = "".join(f"{n}|7|{60 + n}|0|p{n}\n" for n in range(3))
            return FakeReply(("id|pgcID|inc|flag|email\n" + rows).encode(), "text/plain")

    with Tables() as tables:
        arguments = ["labels", "--table", f"{tables.url}/zoo.txt", "--out", str(tmp_path / "labels.csv")]
        result = CliRunner().invoke(cli.app, arguments)
        assert result.exit_code == 0, result.output
        assert "1 galaxies measured" in result.output
        tables.fault = "html"
        result = CliRunner().invoke(cli.app, arguments)
        assert result.exit_code == 1
        assert "answered with a web page instead of data" in result.stderr
