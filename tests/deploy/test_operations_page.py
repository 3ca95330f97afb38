from __future__ import annotations

import re

from tests.support.deployment import ROOT, settings_table

PAGE = ROOT / "docs" / "operations.md"


def test_the_operators_page_lists_every_setting_as_it_is() -> None:
    table = re.search(r"<!-- settings -->\n(.*?)<!-- end of settings -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert table is not None
    expected = settings_table()
    assert table.group(1) == expected, f"docs/operations.md should hold:\n{expected}"


def test_the_operators_page_names_files_that_exist() -> None:
    named = re.findall(r"`((?:k8s|monitoring|serving|gateway)/[\w./-]+)`", PAGE.read_text(encoding="utf-8"))
    missing = [path for path in named if not (ROOT / path).exists() and path != "serving/models.config"]
    assert named
    assert missing == []
