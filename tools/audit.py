"""Reports known vulnerabilities of the locked packages.

    python -m tools.audit [lock ...]

It queries the database of OSV (https://osv.dev) by ``pip-audit``, without installing anything. It ends with 1 when
vulnerabilities are known, and prints them. When the database can't be reached, it says that nothing was audited and
ends with 0, so that the build continues without a network.
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
"""Time limit of one query, seconds; a reachable database answers in a fraction of it."""

UNREACHABLE = ("ConnectionError", "Timeout", "ProxyError", "SSLError", "HTTPError", "ServiceError")
"""Words in the last line of ``pip-audit`` when the database did not answer; other errors are our fault."""

IGNORED: dict[str, str] = {}
"""Vulnerabilities that don't matter here, by identifier, and the reason for each."""


def audit(lock: Path, *, database: str | None = None) -> list[dict[str, Any]] | None:
    """Return the packages of a lock with known vulnerabilities; None when the database can't be reached.

    Parameters
    ----------
    lock : Path
        Lock file with hashes.
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
    """Audit each lock; return 1 if a package has known vulnerabilities, else 0."""
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
