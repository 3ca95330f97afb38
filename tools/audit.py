"""Known vulnerabilities of what is locked.

    python -m tools.audit [lock ...]

Asks the database of OSV (https://osv.dev) by ``pip-audit``, which installs nothing for it. Ends with 1 when something
is known, and says what; when the database can't be reached, says that nothing was audited and ends with 0, so that a
place without a network can go on.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements-gateway.lock", "requirements.lock")
TIMEOUT_S = 10
"""For one question; a database that is there answers in a fraction of it."""

UNREACHABLE = ("ConnectionError", "Timeout", "ProxyError", "SSLError", "HTTPError", "ServiceError")
"""In the last word of ``pip-audit`` when the database did not answer; anything else is a fault of ours."""

IGNORED: dict[str, str] = {}
"""Identifiers of vulnerabilities that don't matter here, and why each does not."""


def audit(lock: Path, *, database: str | None = None) -> list[dict[str, Any]] | None:
    """Return the packages of a lock that something is known against; None when the database can't be asked.

    Parameters
    ----------
    lock : Path
        With hashes.
    database : str, optional
        URL of another instance of OSV.

    Raises
    ------
    RuntimeError
        ``pip-audit`` could not read the lock.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            *(sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip"),
            *("--vulnerability-service", "osv", "--timeout", str(TIMEOUT_S), "--progress-spinner", "off"),
            *("--format", "json", "--output", str(report)),
            *(part for identifier in IGNORED for part in ("--ignore-vuln", identifier)),
            *(("--osv-url", database) if database else ()),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
        if not report.exists():
            reason = (done.stderr.strip().splitlines() or ["pip-audit said nothing."])[-1]
            if not any(word in reason for word in UNREACHABLE):
                raise RuntimeError(f"{lock.name} can't be audited: {reason}")
            sys.stderr.write(f"{reason}\n")
            return None
        found = json.loads(report.read_text(encoding="utf-8"))
    return [one for one in found["dependencies"] if one.get("vulns")]


def main(locks: list[str], *, database: str | None = None) -> int:
    """Audit each lock; 1 if anything is known against one of its packages."""
    worst = 0
    for name in locks or LOCKS:
        known = audit(ROOT / name, database=database)
        if known is None:
            sys.stdout.write(
                f"{name}: NOT AUDITED, because the database of vulnerabilities can't be reached from here.\n"
            )
            continue
        for one in known:
            for vulnerability in one["vulns"]:
                fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
                names = " ".join(sorted({vulnerability["id"], *vulnerability.get("aliases", [])}))
                sys.stdout.write(f"{name}: {one['name']} {one['version']}: {names}; fixed in {fixed}.\n")
        worst = max(worst, int(bool(known)))
        if not known:
            sys.stdout.write(f"{name}: nothing is known against what it locks.\n")
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
