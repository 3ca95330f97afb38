"""When a failed call is tried again."""

from __future__ import annotations

from gateway.sky.http.retry_policy import RetryPolicy


def test_pauses_double_with_every_failure_and_half_of_them_is_random() -> None:
    policy = RetryPolicy(backoff_s=0.4)
    assert policy.pause_s(0) == 0
    for failures, longest in ((1, 0.4), (2, 0.8), (3, 1.6)):
        pauses = [policy.pause_s(failures) for _ in range(200)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
