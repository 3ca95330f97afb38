"""What several commands share: the terminal, and the exit codes."""

from __future__ import annotations

import typer
from rich.console import Console

FAILED, USAGE = 1, 2
out, err = Console(), Console(stderr=True)


def stop(sentence: str) -> typer.Exit:
    """Say why a command can't be carried out, and return what ends it."""
    # brackets in a sentence are no markup
    err.print(sentence, style="red", highlight=False, soft_wrap=True, markup=False)
    return typer.Exit(USAGE)
