"""Errors of a batch that can't run, or can't continue."""

from __future__ import annotations

from typing import ClassVar


class BatchError(Exception):
    """A batch can't run as requested. The message is a sentence for the person who started it.

    Attributes
    ----------
    exit_code : int
        2 where the command must be changed, 3 where the same command may succeed later.
    """

    exit_code: ClassVar[int] = 2


class BatchStopped(BatchError):
    """A batch can't continue now. Files already written stay, and the same command continues later."""

    exit_code = 3
