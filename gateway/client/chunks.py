"""What is asked in one call: questions of one kind, few enough and small enough."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.client.asking import unreadable
from gateway.tables import results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gateway.client.source import Question
    from gateway.core import errors

_GLANCE_ROWS = 500


@dataclass(slots=True)
class Chunk:
    """Questions of one kind that are asked in one call, and what has been learnt about them.

    Attributes
    ----------
    questions : list of Question
    attempt : int
        How often they have been asked with this time.
    breaks : int
        Calls in a row that broke without a result.
    asked_at : float
        Unix time.
    settled : int
        Rows that have their result.
    passing, untold : list of Question
        Those whose problem may pass, and those that the gateway had no time for.
    why : str
        One of their problems.
    """

    questions: list[Question]
    attempt: int = 1
    breaks: int = 0
    asked_at: float = 0.0
    settled: int = 0
    passing: list[Question] = field(default_factory=list)
    untold: list[Question] = field(default_factory=list)
    why: str = ""

    def halves(self, left: list[Question], *, breaks: int = 0) -> Iterator[Chunk]:
        """Cut what is left of it in two."""
        half = len(left) // 2
        return (Chunk(some, self.attempt, breaks) for some in (left[:half], left[half:]))


@dataclass(slots=True)
class Size:
    """How much a chunk may hold; it shrinks when a gateway says that it was too much.

    Attributes
    ----------
    rows : int
    image_bytes : int
    """

    rows: int
    image_bytes: int


def cut(
    questions: Iterable[Question],
    size: Size,
    settle: Callable[[Question, results.Row, float], None],
) -> Iterator[Chunk]:
    """Cut questions into chunks, targets and images apart.

    Parameters
    ----------
    questions : iterable of Question
    size : Size
        Looked at for each chunk anew.
    settle : callable
        Is given the questions that can't be asked, with their cells of the result table and the time.

    Yields
    ------
    Chunk
        An empty one now and then, where many questions in a row can't be asked, lets others have their turn.
    """
    targets: list[Question] = []
    images: list[Question] = []
    image_bytes, unasked = 0, 0
    for question in questions:
        problem = question.problem
        if problem is None and question.image is not None:
            taken = _bytes(question)
            if isinstance(taken, int):
                if images and (len(images) >= size.rows or image_bytes + taken > size.image_bytes):
                    yield Chunk(images)
                    images, image_bytes = [], 0
                images.append(question)
                image_bytes += taken
                continue
            problem = taken
        if problem is not None:
            settle(question, results.problem_row(problem), time.time())
            unasked += 1
            if unasked % _GLANCE_ROWS == 0:
                yield Chunk([])
            continue
        targets.append(question)
        if len(targets) >= size.rows:
            yield Chunk(targets)
            targets = []
    yield from (Chunk(some) for some in (targets, images) if some)


def _bytes(question: Question) -> int | errors.InclinetError:
    assert question.image is not None  # noqa: S101 - the caller has looked
    try:
        return question.image.stat().st_size
    except OSError as error:
        return unreadable(question, error)
