"""Runs the notebook of the documentation: ``python -m tests.docs.notebook`` keeps what it draws from the demo."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tests.support.pages import ROOT
from tests.support.service import UpProcess

NOTEBOOK = ROOT / "docs" / "histogram.ipynb"


def committed() -> nbformat.NotebookNode:
    """Return the notebook with the outputs that the site shows."""
    notebook: nbformat.NotebookNode = nbformat.read(NOTEBOOK, as_version=4)
    return notebook


def executed(folder: Path, url: str) -> nbformat.NotebookNode:
    """Run the notebook in a folder, beside a copy of its catalogue, against a gateway; return it with what came."""
    shutil.copy(ROOT / "docs" / "catalogue.fits", folder)
    notebook = committed()
    environment = os.environ | {"INCLINET_URL": url, "PYTHONPATH": str(ROOT), "MPLBACKEND": ""}
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
    client.execute(env=environment)
    for cell in notebook.cells:
        # when a cell ran says nothing, and would be another at every run
        cell.metadata.pop("execution", None)
    return notebook


def kinds(notebook: nbformat.NotebookNode) -> list[list[str]]:
    """Return of each cell which kinds of output it has."""
    outputs = [cell.get("outputs", []) for cell in notebook.cells]
    return [[kind for one in of_cell for kind in sorted(one.get("data", {one.output_type: ""}))] for of_cell in outputs]


def main() -> None:
    """Run the notebook and write it with its outputs."""
    release = {"INCLINET_MANIFEST": str(ROOT / "model_repo" / "manifest.json")}
    with tempfile.TemporaryDirectory() as folder, UpProcess(Path(folder), environment=release, demo=True) as demo:
        nbformat.write(executed(Path(folder), demo.url), NOTEBOOK)
        sys.stdout.write(f"{NOTEBOOK.relative_to(ROOT)} is new.\n")


if __name__ == "__main__":
    main()
