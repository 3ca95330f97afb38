"""What the image is made of, under which licences, and what is known against it."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.deployment import ROOT
from tests.support.loopback import LoopbackServer, Quiet
from tools import audit, inventory
from tools.inventory import EXCEPTIONS, InventoryError, Part, is_allowed

if TYPE_CHECKING:
    from pathlib import Path

HASH = "0" * 64

# the image's Python is 3.11: on another one, what the lock has for 3.11 alone is not installed
of_the_image = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the image has Python 3.11")


@of_the_image
def test_no_licence_of_the_image_asks_for_more_than_is_given() -> None:
    found = inventory.parts()
    assert len(found) > 40
    assert [f"{part.name}: {part.licence}" for part in found if not is_allowed(part)] == []
    # an exception that nothing needs any more would be one for whatever comes by that name
    assert {name for name, _ in ((part.name, part) for part in found) if name in EXCEPTIONS} == set(EXCEPTIONS)


@pytest.mark.parametrize(
    ("name", "licence", "allowed"),
    [
        ("x", "MIT", True),
        ("x", "GPL-3.0-or-later", False),
        ("x", "MIT OR GPL-3.0-or-later", True),
        ("x", "MIT AND GPL-3.0-or-later", False),
        ("x", "LGPL-3.0-or-later", False),
        ("sep", "LGPL-3.0-or-later", True),
        ("sep", "AGPL-3.0-only", False),
        ("x", "Apache-2.0 WITH LLVM-exception", False),
        ("pyongc", "MIT AND CC-BY-SA-4.0", True),
    ],
)
def test_of_several_licences_all_must_do_or_one_as_they_are_joined(name: str, licence: str, *, allowed: bool) -> None:
    assert is_allowed(Part(name, "1", licence)) is allowed


@of_the_image
def test_the_bill_of_materials_is_valid_complete_and_the_same_every_time() -> None:
    from cyclonedx.schema import SchemaVersion  # seconds, which every worker of a test run would spend
    from cyclonedx.validation.json import JsonStrictValidator

    found = inventory.parts()
    text = inventory.bill(found)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert inventory.bill(inventory.parts()) == text
    bill = json.loads(text)
    assert bill["metadata"]["component"]["name"] == "inclinet-gateway"
    purls = {part["purl"] for part in bill["components"]}
    lock = (ROOT / "requirements-gateway.lock").read_text(encoding="utf-8")
    named = {line.partition(" ")[0].replace("==", "@") for line in lock.splitlines() if line[:1].isalnum()}
    assert named <= {purl.removeprefix("pkg:pypi/") for purl in purls}
    assert len(purls) == len(named) + 1  # the message classes of TensorFlow
    assert all(part["licenses"] for part in bill["components"])
    assert "://" not in text.replace("http://cyclonedx.org/schema/bom-1.6.schema.json", "")


@of_the_image
def test_the_list_of_licences_names_every_package_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inventory.main(tmp_path) == 0
    rows = [line.split(" | ")[0] for line in (tmp_path / "licences.md").read_text(encoding="utf-8").splitlines()[4:]]
    assert rows == sorted(set(rows))
    assert f"{len(rows)} packages" in capsys.readouterr().out


def test_an_environment_that_is_not_the_locks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InventoryError, match="locked and not installed: make env"):
        inventory.licence("no-such-package", "1")
    with pytest.raises(InventoryError, match=r"and locked as 0\.0\.0: make env"):
        inventory.licence("fastapi", "0.0.0")
    silent = importlib.metadata.metadata("fastapi")
    del silent["License-Expression"]  # type: ignore[attr-defined] # a message of the email package, which the protocol hides
    monkeypatch.setattr(importlib.metadata, "metadata", lambda _name: silent)
    with pytest.raises(InventoryError, match="states no licence"):
        inventory.licence("fastapi", str(silent["Version"]))


class FakeOsv(LoopbackServer):
    """The database of vulnerabilities on loopback: knows one of ``package``; ``status`` is what it answers."""

    def __init__(self, package: str, *, status: int = 200) -> None:
        self.asked: list[dict[str, Any]] = []
        database = self

        class DatabaseHandler(Quiet, BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                database.asked.append(query)
                known = [VULNERABILITY] if query["package"]["name"] == package else []
                body = json.dumps({"vulns": known} if known else {}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        super().__init__(DatabaseHandler)
        self.url += "/v1/query"


VULNERABILITY = {
    "id": "GHSA-test-test-test",
    "summary": "A hole.",
    "aliases": ["CVE-2026-0001"],
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "holey"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.2.4"}]}],
        }
    ],
}


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "some.lock"
    lines = (f"{name}==1.2.3 \\\n    --hash=sha256:{HASH}\n" for name in ("holey", "sound"))
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_a_known_vulnerability_fails_the_audit_and_is_named(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOsv("holey") as database:
        assert audit.main([str(lock)], database=database.url) == 1
    said = capsys.readouterr().out
    assert "holey 1.2.3: CVE-2026-0001 GHSA-test-test-test; fixed in 1.2.4." in said
    assert "sound" not in said
    assert {query["package"]["name"] for query in database.asked} == {"holey", "sound"}


def test_an_audit_that_finds_nothing_says_so(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeOsv("another") as database:
        assert audit.main([str(lock)], database=database.url) == 0
    assert "nothing is known against what it locks" in capsys.readouterr().out


def test_a_database_that_does_not_answer_is_no_clean_bill(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main([str(lock)], database="http://127.0.0.1:9/v1/query") == 0
    assert "NOT AUDITED" in capsys.readouterr().out
    with FakeOsv("holey", status=503) as database:
        assert audit.main([str(lock)], database=database.url) == 0
    assert "NOT AUDITED" in capsys.readouterr().out


def test_a_lock_that_can_not_be_read_is_an_error_and_not_a_network(tmp_path: Path) -> None:
    (tmp_path / "some.lock").write_text("holey>=1\n", encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"some\.lock can't be audited"):
        audit.main([str(tmp_path / "some.lock")], database="http://127.0.0.1:9/v1/query")


def test_what_is_ignored_says_why() -> None:
    assert all(len(reason) > 20 for reason in audit.IGNORED.values())
    assert all((ROOT / lock).exists() for lock in audit.LOCKS)
