"""Why a batch can't be run, or can't go on."""

from __future__ import annotations

from typing import ClassVar


class BatchError(Exception):
    """A batch can't be run as it was asked for. The message is a sentence for the person who started it.

    Attributes
    ----------
    exit_code : int
        2 where the command has to change, 3 where the same command may succeed later.
    """

    exit_code: ClassVar[int] = 2


class BatchStopped(BatchError):
    """A batch can't go on now. What is written stays, and the same command goes on later."""

    exit_code = 3
