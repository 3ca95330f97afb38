"""The interface under ``/api`` as its description in git says: a change of it shows as a difference there.

``INCLINET_REWRITE_GOLDEN=1`` writes it anew; docs/reference/stability.md says which differences a version may have.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from gateway.app import create_app
from gateway.settings import Settings
from inclinet import __version__
from tests.support.gateway import RELEASE

GOLDEN = Path(__file__).resolve().parents[1] / "golden/openapi.json"


def test_the_interface_is_the_one_that_was_promised() -> None:
    described = create_app(Settings(), manifest=RELEASE).openapi()
    assert described["info"]["version"] == __version__
    text = json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("INCLINET_REWRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")
