"""What ends a survey run before or in the middle, told in one sentence."""

from __future__ import annotations


class SurveyError(Exception):
    """The run can't be started as it was asked for, and why: a sentence for the person who started it."""


class SurveyStopped(SurveyError):
    """The run can't go on now: the same command may do so later."""
