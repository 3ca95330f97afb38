"""One call of a gateway: rows go out, results come back one by one, and whatever goes wrong has a name."""

from __future__ import annotations

from contextlib import aclosing, contextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Self

from batch.errors import BatchError
from inclinet import Answer, AsyncInclinet, InclinetError, errors
from inclinet.queries import KEY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
    from types import TracebackType

    from gateway.core.models import Target
    from gateway.tables import results

_SERVER_ERRORS = 500
_TOO_MUCH = frozenset({408, 413})
_AWAY = frozenset({425, 429, 502, 503, 504})
_MAY_PASS = _AWAY | {408}
_NOT_THE_ROW = frozenset({"busy", "too-many-requests", "quorum-lost", "slow-client"})


class Standing(Enum):
    """How much a row's result is worth."""

    FINAL = auto()
    PASSING = auto()
    """A problem that may have passed when the row is asked again."""
    GATEWAY = auto()
    """A problem of the gateway, which says nothing of the row."""


class Kind(Enum):
    """What went wrong with a whole call."""

    AWAY = auto()
    """Nobody answers, or nobody takes work for now: wait."""
    BROKEN = auto()
    """It began, and broke: perhaps because of what was asked."""
    TOO_MUCH = auto()
    """Ask less at once."""
    REFUSED = auto()
    """Asking again is of no use."""


class CallFailed(Exception):
    """A call did not bring all results.

    Parameters
    ----------
    kind : Kind
    sentence : str
        For people, without a full stop.
    problem_type : str
        For a row that has to be given up because of it.
    retry_after_s : float, optional
        What the gateway asked for, seconds.
    """

    def __init__(
        self, kind: Kind, sentence: str, problem_type: str = "no-answer", retry_after_s: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.kind, self.sentence = kind, sentence
        self.problem_type, self.retry_after_s = problem_type, retry_after_s


class Gateway:
    """A gateway somewhere.

    Parameters
    ----------
    url : str
    params : mapping
        How everything is asked: ``survey``, ``r``, ``frame``.
    timeout_s : float
        A call counts as lost when nothing has come for so long.

    Raises
    ------
    BatchError
        The address is none, or has a proxy that can't be used.
    """

    def __init__(self, url: str, *, params: Mapping[str, Any] | None = None, timeout_s: float = 180.0) -> None:
        self.url = url
        self._params = dict(params or {})
        try:
            # when to ask again is the pacing's to say
            self._client = AsyncInclinet(url, timeout=timeout_s, pictures=False, retry=False)
        except InclinetError as error:
            raise BatchError(error.detail) from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def release(self) -> str:
        """Return the model release that answers; raises CallFailed."""
        with _judged():
            return await self._client.release()

    async def ask(self, asked: Sequence[Target | bytes]) -> AsyncGenerator[tuple[int, results.Row, Standing]]:
        """Ask about targets, or about images, in one call.

        Parameters
        ----------
        asked : sequence of Target, or of bytes
            All of one kind.

        Yields
        ------
        place : int
            Of what was asked.
        cells : dict
            Of the result.
        standing : Standing

        Raises
        ------
        CallFailed
        """
        bodies = [one if isinstance(one, bytes) else _said(one) for one in asked]
        with _judged():
            async with aclosing(self._client.stream(bodies, **self._params)) as answers:
                async for place, result in answers:
                    yield place, *_worth(result)


def _said(target: Target) -> dict[str, Any]:
    said = {
        "pgc": target.pgc,
        "name": target.name,
        "ra": target.ra,
        "dec": target.dec,
        "fov": target.fov_arcmin,
        "pa": target.position_angle_deg,
    }
    return {name: value for name, value in said.items() if value is not None}


def _worth(result: Answer | InclinetError) -> tuple[results.Row, Standing]:
    """Return the cells of a result, and what they are worth."""
    if isinstance(result, Answer):
        return result.row(), Standing.FINAL
    cells = {"problem_type": result.slug, "problem": result.detail}
    if result.slug in _NOT_THE_ROW:
        return cells, Standing.GATEWAY
    return cells, Standing.PASSING if result.status in _MAY_PASS else Standing.FINAL


@contextmanager
def _judged() -> Iterator[None]:
    """Let what goes wrong with a call be a :class:`CallFailed`, which says what to do about it."""
    try:
        yield
    except InclinetError as error:
        sentence = error.detail.removesuffix(".")
        sentence = sentence[:1].lower() + sentence[1:]
        if error.status is None:
            kinds: dict[type, Kind] = {errors.Unreachable: Kind.AWAY, errors.NotAGateway: Kind.REFUSED}
            raise CallFailed(kinds.get(type(error), Kind.BROKEN), sentence) from error
        if not error.slug.startswith("http-"):
            sentence = f"it answered {error.status}: {error.detail.removesuffix('.')}"
        if isinstance(error, errors.KeyRefused):
            sentence += f" (a key is taken from {KEY_VARIABLE})"
        kind = Kind.BROKEN if error.status >= _SERVER_ERRORS else Kind.REFUSED
        kind = Kind.TOO_MUCH if error.status in _TOO_MUCH else Kind.AWAY if error.status in _AWAY else kind
        raise CallFailed(kind, sentence, error.slug, error.retry_after) from error
