"""Every table of ``shared/wild``: what is read of it, line by line, held in ``tests/golden/tables.txt``.

``INCLINET_REWRITE_GOLDEN=1`` writes the file anew; read its difference before it is committed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.core.errors import GatewayError
from gateway.tables.cells.rows import Row, rows_of
from gateway.tables.reader import columns_of, open_table, read_table, records_of

ROOT = Path(__file__).parents[3]
MAKER = ROOT.parent / "shared/wild/make_tables.py"
GOLDEN = ROOT / "tests/golden/tables.txt"
SHOWN_ROWS = 8
LARGE_BYTES = 500_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not MAKER.exists(), reason=f"there is no {MAKER}"),
]


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wild")
    made = [sys.executable, "-W", "ignore", str(MAKER), str(folder)]
    subprocess.run(made, check=True, capture_output=True)
    return folder


def shown(row: Row) -> str:
    if row.problem is not None:
        return f"{row.key} -> {row.problem.slug}: {row.problem.detail}"
    target = row.target
    assert target is not None
    told: dict[str, object] = {"pgc": target.pgc, "ra": target.ra, "dec": target.dec, "name": target.name}
    told |= {"fov": target.fov_arcmin, "pa": target.position_angle_deg}
    said = " ".join(f"{role}={value}" for role, value in told.items() if value is not None)
    return f"{row.key} -> {said}" + "".join(f" [{warning}]" for warning in row.warnings)


def reading(path: Path, *, from_disk: bool) -> list[str]:
    try:
        table = open_table(path) if from_disk else read_table(path.read_bytes(), path.name, most=200_000)
        found = columns_of(table)
        rows = rows_of(records_of(table, found.columns), found)
    except GatewayError as refused:
        return [f"{refused.slug}: {refused.detail.replace(f'{path.parent}/', '')}"]
    said = [*found.sentences(), f"{len(rows)} rows"]
    return [*said, *map(shown, rows[:SHOWN_ROWS])]


def test_every_table_is_read_as_written_down(wild: Path) -> None:
    said = []
    for path in sorted(wild.iterdir()):
        lines = reading(path, from_disk=False)
        # a table of a hundred thousand rows takes a second each time, and is read by the same readers
        if path.stat().st_size < LARGE_BYTES:
            assert reading(path, from_disk=True) == lines, path.name
        said.append("\n    ".join([path.name, *lines]))
    text = "\n".join(said) + "\n"
    if os.environ.get("INCLINET_REWRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
