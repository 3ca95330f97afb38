from __future__ import annotations

import pytest

from gateway.api import problems
from inclinet import InclinetError, errors


@pytest.mark.parametrize(("slug", "status"), [(slug, status) for slug, (status, _) in problems.table().items()])
def test_every_problem_of_the_gateway_has_its_exception(slug: str, status: int) -> None:
    problem = {"type": problems.TYPE_PREFIX + slug, "title": "T", "status": status, "detail": "Why.", "service": "NED"}
    error = errors.from_problem(problem, 3.0)
    assert type(error) is not InclinetError
    assert slug in type(error).slugs
    assert (error.slug, error.status, error.detail, str(error)) == (slug, status, "Why.", "Why.")
    assert error.retry_after == 3.0
    assert error.extra["service"] == "NED"
    assert error.problem == problem


def test_the_tree_in_the_docstring_is_that_of_the_classes() -> None:
    drawn = (errors.__doc__ or "").partition("::")[2].split()
    for kind in [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, InclinetError)]:
        assert kind.__name__ in drawn
        assert kind is InclinetError or all(f"{slug}," in drawn or slug in drawn for slug in kind.slugs)


@pytest.mark.parametrize(("status", "kind"), [(418, errors.RequestRefused), (500, errors.GatewayFailed)])
def test_a_problem_that_no_version_of_this_client_knew_goes_by_its_status(
    status: int, kind: type[InclinetError]
) -> None:
    said = {"type": problems.TYPE_PREFIX + "of-tomorrow", "status": status, "detail": "New."}
    error = errors.from_problem(said)
    assert type(error) is kind
    assert error.slug == "of-tomorrow"
    assert errors.from_problem({"status": status}).slug == f"http-{status}"
