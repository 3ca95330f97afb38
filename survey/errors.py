"""What ends a survey run before or in the middle, told in one sentence."""

from __future__ import annotations


class SurveyError(Exception):
    """The run can't be started or go on, and why; the message is a sentence for the person who started it."""
