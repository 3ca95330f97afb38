"""The pages of the documentation, their blocks of code, and the files that the blocks use."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from astropy.table import Table
from markdown_it import MarkdownIt

from tests.support.galaxies import SHARED
from tests.support.imaging import write_bands
from tests.support.pictures import disc, encoded, fits_file

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md")))]
README_GALAXY = SHARED / "giz512" / "pgc48307_gri.jpg"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code; ``how`` is the text after its language, such as ``fails`` or ``not run: needs Docker``."""

    page: str
    line: int
    language: str
    how: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}\n{self.text}"

    @property
    def reason(self) -> str | None:
        """Why the block is not run; None where it is."""
        return self.how.partition("not run: ")[2].strip() or None


@lru_cache
def blocks(page: str) -> tuple[Block, ...]:
    """Return the blocks of code of a page, also those without a language, but no directives of MyST."""
    tokens = MarkdownIt().enable("table").parse((ROOT / page).read_text(encoding="utf-8"))
    found = []
    for token in tokens:
        if token.type in {"fence", "code_block"} and not token.info.startswith("{"):
            language, _, how = token.info.strip().partition(" ")
            found.append(Block(page, token.map[0] + 1 if token.map else 0, language, how, token.content))
    return tuple(found)


def lay_out(folder: Path) -> None:
    """Write the files that the pages use: images, tables, a folder of images, predictions of a network."""
    galaxy = disc()
    for name, pixels in {
        "a": disc(axis_ratio=0.4),
        "b": disc(axis_ratio=0.7),
        "photograph": disc(262, width=408),
    }.items():
        (folder / f"{name}.jpg").write_bytes(encoded(pixels, "JPEG", quality=95))
    (folder / "galaxy.jpg").write_bytes(encoded(galaxy, "JPEG", quality=95))
    write_bands(folder)
    (folder / "galaxy.fits").write_bytes(fits_file(galaxy[..., 0].astype("f4")))
    shutil.copy(README_GALAXY if README_GALAXY.exists() else folder / "galaxy.jpg", folder / "pgc48307.jpg")
    (folder / "images").mkdir()
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(folder / name, folder / "images")
    table = Table(
        {"pgc": [69327, 0], "name": ["NGC 7331", "NGC 4258"], "ra": [339.267, 184.74], "dec": [34.4156, 47.304]}
    )
    table.write(folder / "galaxies.csv")
    table.write(folder / "galaxies.fits")
    table.write(folder / "galaxies.parquet")
    rows = "".join(f"{one},{one + 1},{one - 1}\n" for one in range(45, 90))
    (folder / "predictions.csv").write_text(f"measured,vgg4_m0,vgg7_m0\n{rows}", encoding="utf-8")


class Shell:
    """Runs blocks of shell in a folder, with a gateway."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        """Run a block as a person would type it; the first failing command, or HTTP error, ends it."""
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        script = 'curl() { command curl -sS --fail-with-body "$@"; }\n' + text.replace(
            "http://127.0.0.1:8080", self._url
        )
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - bash from the path
            cwd=self._folder,
            env=os.environ | {"INCLINET_URL": self._url, "PATH": programs, "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
