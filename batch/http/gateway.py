"""One call of a gateway: rows go out, results come back one by one, and whatever goes wrong has a name."""

from __future__ import annotations

import json
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Self

import httpx
from pydantic import ValidationError

from gateway.api.schemas import InclinationAnswer
from gateway.core import proxies, retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from types import TracebackType

    from gateway.core.models import Target
    from gateway.tables import results

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
    headers : mapping
        Such as the one with the API key.
    key_from : str
        Where the key is taken from, for the sentence about one that is missing.
    timeout_s : float
        A call counts as lost when nothing has come for so long.

    Raises
    ------
    gateway.core.proxies.ProxyUnusable
        The environment names a proxy for it that can't be used.
    """

    def __init__(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        key_from: str = "",
        timeout_s: float = 180.0,
    ) -> None:
        self.url = url
        self._params, self._key_from = dict(params or {}), key_from
        transport = httpx.AsyncHTTPTransport(
            proxy=proxies.from_environment().of(url),
            # a server that closes an idle connection in the moment that it is used again looks like one that fails
            limits=httpx.Limits(max_connections=None, keepalive_expiry=KEEPALIVE_S),
        )
        self._client = httpx.AsyncClient(
            base_url=url,
            headers=dict(headers or {}),
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def release(self) -> str:
        """Return the model release that answers; raises CallFailed."""
        try:
            response = await self._client.get("/api/models")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _lost(error) from error
        if response.status_code != _OK:
            raise self._refusal(response)
        try:
            return str(response.json()["release"])
        except (ValueError, KeyError, TypeError):
            raise _stranger() from None

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
        images = [("file", (str(place), one)) for place, one in enumerate(asked) if isinstance(one, bytes)]
        targets = [_said(one) for one in asked if not isinstance(one, bytes)]
        body: dict[str, Any] = {"files": images} if images else {"json": targets}
        left = set(range(len(asked)))
        try:
            async with self._client.stream("POST", "/api/batch", params=self._params, **body) as response:
                if response.status_code != _OK:
                    await response.aread()
                    raise self._refusal(response)
                if not response.headers.get("content-type", "").startswith("application/x-ndjson"):
                    raise _stranger()
                async for line in response.aiter_lines():
                    result = _result(line, left)
                    left.remove(result[0])
                    yield result
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _lost(error) from error
        if left:
            raise CallFailed(Kind.BROKEN, "the answer ended before all rows had come")

    def _refusal(self, response: httpx.Response) -> CallFailed:
        """Judge an answer of any status but 200, from the gateway or from a proxy before it."""
        status, detail, problem_type = response.status_code, "", "no-answer"
        try:
            said = response.json()
            problem_type, detail = _type(said)[0], str(said["detail"]).removesuffix(".")
        except (ValueError, KeyError, TypeError):
            detail = response.headers.get("location", "") and f"moved to {response.headers['location']}"
        sentence = f"it answered {status}" + (f": {detail}" if detail else "")
        if status == _UNAUTHORIZED and self._key_from:
            sentence += f" (a key is taken from {self._key_from})"
        if status in _TOO_MUCH:
            return CallFailed(Kind.TOO_MUCH, sentence, problem_type)
        if status in _AWAY:
            return CallFailed(
                Kind.AWAY,
                sentence,
                problem_type,
                retry_after.read(response.headers.get("retry-after", ""), time.time()),
            )
        return CallFailed(Kind.BROKEN if status >= _SERVER_ERRORS else Kind.REFUSED, sentence, problem_type)


def _stranger() -> CallFailed:
    return CallFailed(Kind.REFUSED, "it answers, and is not an inclinet gateway")


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


def _result(line: str, left: set[int]) -> tuple[int, results.Row, Standing]:
    """Read a line of the answer: the place of what was asked, its cells and what they are worth."""
    try:
        said = json.loads(line)
        (place,) = {said["row"]} & left
        if said["ok"]:
            return place, InclinationAnswer.model_validate(said["answer"]).row(), Standing.FINAL
        problem_type, status = _type(said["problem"])
        cells = {"problem_type": problem_type, "problem": str(said["problem"]["detail"])}
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError):
        raise CallFailed(Kind.BROKEN, "it sent a line that can't be understood") from None
    standing = Standing.PASSING if status in _MAY_PASS else Standing.FINAL
    return place, cells, Standing.GATEWAY if problem_type in _NOT_THE_ROW else standing


def _type(problem: dict[str, Any]) -> tuple[str, int]:
    """Return the slug and the status of a problem."""
    status, kind = int(problem["status"]), str(problem["type"])
    return (kind.rpartition(":")[2] if kind.startswith("urn:inclinet:") else f"http-{status}"), status


def _lost(error: httpx.HTTPError | httpx.InvalidURL) -> CallFailed:
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        # the cause is worth a word where it is a name, a certificate or a slow network
        cause = "" if str(error) in {"", "All connection attempts failed"} else f" ({error})"
        return CallFailed(Kind.AWAY, f"no gateway answers{cause}")
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
        return CallFailed(Kind.REFUSED, f"that is no address of a gateway ({error})")
    if isinstance(error, httpx.ProxyError):
        return CallFailed(Kind.AWAY, f"the environment's proxy does not let it be reached ({error})")
    if isinstance(error, httpx.ReadTimeout):
        return CallFailed(Kind.BROKEN, "nothing came any more")
    return CallFailed(Kind.BROKEN, f"the connection was lost ({str(error) or type(error).__name__})")
