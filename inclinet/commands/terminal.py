"""The terminal and the exit codes, shared by several commands."""

from __future__ import annotations

import typer
from rich.console import Console

FAILED, USAGE = 1, 2
out, err = Console(), Console(stderr=True)


def stop(sentence: str) -> typer.Exit:
    """Print why a command fails, and return the exception that ends it."""
    # brackets in the message are not rich's markup
    err.print(sentence, style="red", highlight=False, soft_wrap=True, markup=False)
    return typer.Exit(USAGE)
