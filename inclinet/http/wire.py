"""Responses as answers or exceptions, and the wait before a question is repeated."""

from __future__ import annotations

import json
import random
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from inclinet import errors
from inclinet.answers.answer import Answer
from inclinet.answers.columns import TABLE_COLUMNS
from inclinet.http import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from inclinet.answers.table import AnswerTable

_OK = 200
_WAIT_FOR = frozenset({429, 503})
_LONGEST_PAUSE_S = 8.0
_NOBODY = re.compile("refused|All connection attempts failed")
NDJSON = "application/x-ndjson"


@contextmanager
def connection_errors(url: str) -> Iterator[None]:
    """Raise errors of the connection in a ``with`` block as exceptions of :mod:`inclinet.errors`."""
    import httpx  # takes 0.3 s, which `import inclinet` must not cost

    try:
        yield
    except httpx.ProxyError as error:
        raise errors.Unreachable(f"The environment's proxy does not let {url} be reached ({error}).") from None
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        # the cause helps where it is a name, a certificate or a slow network
        cause = "" if not str(error) or _NOBODY.search(str(error)) else f" ({error})"
        raise errors.Unreachable(f"No gateway answers at {url}{cause}.") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise errors.NotAGateway(f"{url} is no address of a gateway: {str(error).removesuffix('.')}.") from None
    except httpx.TimeoutException:
        raise errors.NoAnswer("Nothing came from the gateway in time.") from None
    except httpx.HTTPError as error:
        raise errors.NoAnswer(f"The connection was lost ({str(error) or type(error).__name__}).") from None


def check(response: httpx.Response) -> None:
    """Raise the exception for a response without an answer; its body has been read."""
    if response.status_code == _OK:
        return
    wait_s = retry_after.read(response.headers.get("retry-after", ""), time.time())
    try:
        said = response.json()
        problem = {**said, "status": response.status_code, "detail": said["detail"]}
    except (ValueError, KeyError, TypeError):
        moved = response.headers.get("location", "")
        detail = f"The gateway answered {response.status_code}" + (f": moved to {moved}." if moved else ".")
        problem = {"status": response.status_code, "detail": detail}
    raise errors.from_problem(problem, wait_s)


def not_a_gateway(url: str) -> errors.NotAGateway:
    """Return the error for a response that no gateway would give."""
    return errors.NotAGateway(f"{url} answers, and is not an inclinet gateway.")


def reader(url: str) -> Callable[[httpx.Response], Answer]:
    """Return the function that converts a response to an answer."""

    def read(response: httpx.Response) -> Answer:
        check(response)
        try:
            return Answer(response.json(), url)
        except (ValueError, TypeError, AttributeError):
            raise not_a_gateway(url) from None

    return read


def release_reader(url: str) -> Callable[[httpx.Response], str]:
    """Return the function that reads the model release in a response."""

    def read(response: httpx.Response) -> str:
        check(response)
        try:
            return str(response.json()["release"])
        except (ValueError, KeyError, TypeError):
            raise not_a_gateway(url) from None

    return read


class TimeLeft:
    """The time left for a question, and the wait before it is repeated.

    Parameters
    ----------
    timeout_s : float
        Time limit of the question with its repeats, seconds.
    retry : bool
        Whether the question is repeated at all.
    """

    def __init__(self, timeout_s: float, *, retry: bool = True) -> None:
        self._retry = retry
        self._until = time.monotonic() + timeout_s
        self._pause_s = 0.5

    @property
    def seconds(self) -> float:
        """Return the seconds left."""
        return max(0.0, self._until - time.monotonic())

    def wait_s(self, error: errors.InclinetError) -> float:
        """Return the seconds until the next attempt; raise the error itself where that is useless or too late."""
        if not self._retry or error.status not in _WAIT_FOR:
            raise error
        wait_s = error.retry_after
        if wait_s is None:
            wait_s, self._pause_s = self._pause_s, min(2 * self._pause_s, _LONGEST_PAUSE_S)
        # never earlier than requested, and not all clients at the same moment
        wait_s += random.uniform(0, 0.1) * wait_s  # noqa: S311 - spreads clients in time, keeps no secret
        if wait_s >= self.seconds:
            raise error
        return wait_s


class Results:
    """The results of a batch, read line by line.

    Parameters
    ----------
    response : httpx.Response
        Response with headers and an unread body, unless it is a problem.
    url : str
        URL of the gateway.
    total : int, optional
        Number of questions, where it is known.
    """

    def __init__(self, response: httpx.Response, url: str, total: int | None = None) -> None:
        check(response)
        if not response.headers.get("content-type", "").startswith(NDJSON):
            raise not_a_gateway(url)
        self._url = url
        self._reading = response.headers.get("x-inclinet-columns", "")
        count = response.headers.get("x-inclinet-rows", "")
        self.total = int(count) if total is None and count.isdecimal() else total
        """Number of results to expect, where it is known."""
        self._rows: dict[int, dict[str, Any]] = {}
        self._release = ""

    def read(self, line: str) -> tuple[int, Answer | errors.InclinetError]:
        """Return the index of the question in a line, and its answer or problem.

        Raises
        ------
        NoAnswer
            The line can't be read, or its index is out of range or was answered before.
        """
        try:
            said = json.loads(line)
            place, key = said["row"], said.get("key")
            if place in self._rows or not 0 <= place < (place + 1 if self.total is None else self.total):
                raise ValueError(place)  # noqa: TRY301 - all of these are one failure
            result: Answer | errors.InclinetError
            if said["ok"]:
                result = Answer(said["answer"], self._url)
                self._release = result.release
                row = result.row()
            else:
                result = errors.from_problem(said["problem"])
                row = {"problem_type": result.slug, "problem": result.detail}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise errors.NoAnswer("The gateway sent a line that can't be understood.") from None
        self._rows[place] = row | {"key": key}
        return place, result

    def finish(self) -> None:
        """Check that all results have arrived; raises :class:`~inclinet.errors.NoAnswer`."""
        if self.total is not None and len(self._rows) < self.total:
            raise errors.NoAnswer("The answer ended before all rows had come.")

    def table(self) -> AnswerTable:
        """Return the results as a table, in the order of the questions."""
        from inclinet.answers.table import table_of

        self.finish()
        reading = json.loads(self._reading) if self._reading else {}
        rows = [self._rows[place] for place in sorted(self._rows)]
        meta = {
            "release": self._release,
            "service": self._url,
            "columns": reading.get("columns", {}),
            "warnings": reading.get("warnings", []),
        }
        return table_of(rows, TABLE_COLUMNS, meta)
