"""One call of a gateway: questions go out, results come back one by one, and whatever goes wrong has a name."""

from __future__ import annotations

import asyncio
import email.utils
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Self

import httpx
from pydantic import ValidationError

from gateway.api.schemas import InclinationAnswer
from gateway.client.address import KEY_VARIABLE, credentials
from gateway.core import errors, proxies
from gateway.tables import results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from gateway.client.source import Question, Terms

CONNECT_TIMEOUT_S = 10.0
KEEPALIVE_S = 1.0
_OK, _UNAUTHORIZED, _SERVER_ERRORS = 200, 401, 500
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


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that did not bring all results.

    Attributes
    ----------
    kind : Kind
    sentence : str
        For people, without a full stop.
    problem_type : str
        For a row that has to be given up because of it.
    retry_after_s : float, optional
        What the gateway asked for, seconds.
    """

    kind: Kind
    sentence: str
    problem_type: str = "no-answer"
    retry_after_s: float | None = None


class NotUnderstood(Exception):
    """What came is not what a gateway of this version sends."""


class Gateway:
    """A gateway somewhere.

    Parameters
    ----------
    url : str
    terms : Terms
        How everything is asked.
    timeout_s : float
        A call counts as lost when nothing has come for so long.

    Raises
    ------
    gateway.core.proxies.ProxyUnusable
        The environment names a proxy for it that can't be used.
    """

    def __init__(self, url: str, terms: Terms, *, timeout_s: float) -> None:
        self.url = url
        self._params = {
            name: str(value)
            for name, value in (("survey", terms.survey), ("r", terms.r), ("frame", terms.frame))
            if value is not None
        }
        transport = httpx.AsyncHTTPTransport(
            proxy=proxies.from_environment().of(url),
            # a server that closes an idle connection in the moment that it is used again looks like one that fails
            limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_S),
        )
        self._client = httpx.AsyncClient(
            base_url=url,
            headers=credentials(),
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def release(self) -> str | Failure:
        """Ask which model release answers."""
        try:
            response = await self._client.get("/api/models")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _lost(error)
        if response.status_code != _OK:
            return _refusal(response)
        try:
            return str(response.json()["release"])
        except (ValueError, KeyError, TypeError):
            return Failure(Kind.REFUSED, "it answers, and is not an inclinet gateway")

    async def ask(
        self,
        questions: Sequence[Question],
        deliver: Callable[[Question, results.Row, Standing], None],
    ) -> tuple[list[Question], Failure | None]:
        """Ask all questions in one call.

        Parameters
        ----------
        questions : sequence of Question
            All with a target, or all with an image.
        deliver : callable
            Is given each question's cells of the result table as soon as they are there. What it raises ends the call.

        Returns
        -------
        left : list of Question
            Those without a result.
        failure : Failure or None
            Why there are some.
        """
        left = dict(enumerate(questions))
        try:
            body = await self._body(left, deliver)
            if left:
                async with self._client.stream("POST", "/api/batch", params=self._params, **body) as response:
                    if response.status_code != _OK:
                        await response.aread()
                        return list(left.values()), _refusal(response)
                    if not response.headers.get("content-type", "").startswith("application/x-ndjson"):
                        return list(left.values()), Failure(Kind.REFUSED, "it answers, and is not an inclinet gateway")
                    async for line in response.aiter_lines():
                        self._take(line, left, deliver)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return list(left.values()), _lost(error)
        except NotUnderstood as error:
            return list(left.values()), Failure(Kind.BROKEN, str(error))
        ended = Failure(Kind.BROKEN, "the answer ended before all rows had come")
        return list(left.values()), ended if left else None

    async def _body(
        self,
        left: dict[int, Question],
        deliver: Callable[[Question, results.Row, Standing], None],
    ) -> dict[str, Any]:
        """Make the body: a list of targets, or images; those that can't be read are delivered as problems."""
        if left[0].image is None:
            return {"json": [_target(question) for question in left.values()]}
        read = await asyncio.to_thread(lambda: [_read(question) for question in left.values()])
        files = []
        for index, data in enumerate(read):
            if isinstance(data, bytes):
                files.append(("file", (str(index), data)))
            else:
                deliver(left.pop(index), results.problem_row(data), Standing.FINAL)
        # the gateway counts the rows that it got
        waiting = list(left.values())
        left.clear()
        left.update(enumerate(waiting))
        return {"files": files}

    @staticmethod
    def _take(
        line: str,
        left: dict[int, Question],
        deliver: Callable[[Question, results.Row, Standing], None],
    ) -> None:
        """Deliver what one line of the answer says."""
        try:
            said = json.loads(line)
            question = left[said["row"]]
            if said["ok"]:
                cells = InclinationAnswer.model_validate(said["answer"]).row()
                standing = Standing.FINAL
            else:
                problem_type, status = _type(said["problem"])
                cells = {"problem_type": problem_type, "problem": str(said["problem"]["detail"])}
                standing = Standing.PASSING if status in _MAY_PASS else Standing.FINAL
                standing = Standing.GATEWAY if problem_type in _NOT_THE_ROW else standing
        except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
            raise NotUnderstood("it sent a line that can't be understood") from None
        del left[said["row"]]
        deliver(question, cells, standing)


def _target(question: Question) -> dict[str, Any]:
    target = question.target
    assert target is not None  # noqa: S101 - chunks are of one kind
    said = {
        "pgc": target.pgc,
        "name": target.name,
        "ra": target.ra,
        "dec": target.dec,
        "fov": target.fov_arcmin,
        "pa": target.position_angle_deg,
    }
    return {name: value for name, value in said.items() if value is not None}


def _read(question: Question) -> bytes | errors.InclinetError:
    assert question.image is not None  # noqa: S101 - chunks are of one kind
    try:
        return question.image.read_bytes()
    except OSError as error:
        return unreadable(question, error)


def unreadable(question: Question, error: OSError) -> errors.InclinetError:
    """Return the problem of an image that is not there or can't be read."""
    return errors.BadImage(f"The image {question.image} can't be read: {error.strerror or error}.")


def _type(problem: dict[str, Any]) -> tuple[str, int]:
    """Return the slug and the status of a problem."""
    status, kind = int(problem["status"]), str(problem["type"])
    return (kind.rpartition(":")[2] if kind.startswith("urn:inclinet:") else f"http-{status}"), status


def _lost(error: httpx.HTTPError | httpx.InvalidURL) -> Failure:
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        # the cause is worth a word where it is a name, a certificate or a slow network
        cause = "" if str(error) in {"", "All connection attempts failed"} else f" ({error})"
        return Failure(Kind.AWAY, f"no gateway answers{cause}")
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return Failure(Kind.REFUSED, f"that is no address of a gateway ({error})")
    if isinstance(error, httpx.ProxyError):
        return Failure(Kind.AWAY, f"the environment's proxy does not let it be reached ({error})")
    if isinstance(error, httpx.ReadTimeout):
        return Failure(Kind.BROKEN, "nothing came any more")
    return Failure(Kind.BROKEN, f"the connection was lost ({str(error) or type(error).__name__})")


def _refusal(response: httpx.Response) -> Failure:
    """Judge an answer of any status but 200, from the gateway or from a proxy before it."""
    status, detail, problem_type = response.status_code, "", "no-answer"
    try:
        said = response.json()
        problem_type, detail = _type(said)[0], str(said["detail"]).removesuffix(".")
    except (ValueError, KeyError, TypeError):
        detail = response.headers.get("location", "") and f"moved to {response.headers['location']}"
    sentence = f"it answered {status}" + (f": {detail}" if detail else "")
    if status == _UNAUTHORIZED:
        sentence += f" (a key is taken from {KEY_VARIABLE})"
    if status in _TOO_MUCH:
        return Failure(Kind.TOO_MUCH, sentence, problem_type)
    if status in _AWAY:
        return Failure(Kind.AWAY, sentence, problem_type, _retry_after_s(response))
    return Failure(Kind.BROKEN if status >= _SERVER_ERRORS else Kind.REFUSED, sentence, problem_type)


def _retry_after_s(response: httpx.Response) -> float | None:
    """Read ``Retry-After``: seconds, or a date (RFC 9110, section 10.2.3)."""
    said = response.headers.get("retry-after", "").strip()
    if said.isdecimal():
        return float(said)
    try:
        when = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
