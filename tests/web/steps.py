"""What many tests do first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page


def ask(page: Page, name: str = "NGC 7331") -> None:
    """Open the address of a question by name and wait for its answer."""
    page.goto(f"./?name={name}")
    expect(page.locator("#answer-title")).to_have_text(name)


def upload(page: Page, path: Path) -> None:
    """Choose a picture and wait for its answer."""
    if page.url == "about:blank":
        page.goto("./")
    page.set_input_files("#ask input[type=file]", path)
    expect(page.locator("#answer-title")).to_have_text(path.name)
