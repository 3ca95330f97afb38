"""Why a run ends before its table is written. What had come by then is in the journal."""

from __future__ import annotations

from typing import ClassVar


class Stop(Exception):
    """A run can't go on; its sentence is for people.

    Attributes
    ----------
    exit_code : int
        2 where the command has to be another one, 3 where the same one may do later.
    """

    exit_code: ClassVar[int] = 2


class Unusable(Stop):
    """The command can't be carried out as it was given."""


class NoJournal(Unusable):
    """A file can't be used as a journal."""


class Refused(Stop):
    """The gateway refuses what is asked of it."""


class GaveUp(Stop):
    """There was no getting on for too long."""

    exit_code = 3


class OtherRelease(Stop):
    """The gateway answers with another model release than gave the results so far."""

    exit_code = 3
