"""The token bucket: a burst at once, then so many a second, and debts are paid."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat.chat.clock import Timers
from securechat.chat.limits import TokenBucket


def test_a_bucket_begins_full() -> None:
    assert TokenBucket(20, 100, now=5.0).available(5.0) == 100


def test_a_bucket_fills_by_the_clock_and_no_further_than_its_rim() -> None:
    bucket = TokenBucket(20, 100, now=0.0)
    bucket.charge(100)
    assert bucket.available(0.0) == 0
    assert bucket.available(0.04) == 0
    assert bucket.available(0.05) == 1
    assert bucket.available(1.0) == 20
    assert bucket.available(1000.0) == 100


def test_looking_takes_nothing() -> None:
    bucket = TokenBucket(20, 100, now=0.0)
    assert [bucket.available(0.0) for _ in range(3)] == [100, 100, 100]


def test_what_was_dear_is_paid_later() -> None:
    bucket = TokenBucket(10, 10, now=0.0)
    bucket.charge(25)
    assert bucket.available(1.0) == 0
    assert bucket.wait() == pytest.approx(0.6)
    assert bucket.available(1.5) == 0
    assert bucket.available(1.6) == 1


def test_who_has_a_token_need_not_wait() -> None:
    assert TokenBucket(10, 10, now=0.0).wait() == 0.0


@given(
    st.floats(0.1, 1000),
    st.integers(1, 1000),
    st.lists(st.tuples(st.floats(0, 10), st.integers(0, 50)), max_size=30),
)
@settings(deadline=None)
def test_over_any_time_no_more_than_burst_and_rate_is_given(
    rate: float, burst: int, turns: list[tuple[float, int]]
) -> None:
    bucket, now, given = TokenBucket(rate, burst, now=0.0), 0.0, 0
    for passed, wanted in turns:
        now += passed
        taken = min(wanted, bucket.available(now))
        bucket.charge(taken)
        given += taken
        assert given <= burst + rate * now + 1e-6
    bucket.charge(bucket.available(now) + 3)
    assert bucket.available(now) == 0
    now += bucket.wait() + 1e-9 * (1 + now)
    assert bucket.available(now) >= 1


# ------------------------------------------------------------------ timers


def test_what_is_due_is_done_in_its_order() -> None:
    timers, done = Timers(), list[str]()
    assert timers.next_due == float("inf")
    timers.now = 10.0
    timers.after(2, lambda: done.append("b"))
    timers.after(1, lambda: done.append("a"))
    timers.after(2, lambda: done.append("c"))
    timers.after(3, lambda: done.append("never"))
    assert timers.next_due == 11.0
    timers.now = 12.0
    timers.run_due()
    assert done == ["a", "b", "c"]
    assert timers.next_due == 13.0


def test_what_is_due_may_ask_for_more() -> None:
    timers, done = Timers(), list[float]()

    def again() -> None:
        done.append(timers.now)
        timers.after(1, again)

    timers.after(1, again)
    for now in (1.0, 1.5, 2.0):
        timers.now = now
        timers.run_due()
    assert done == [1.0, 2.0]


def test_what_fails_does_not_stop_what_follows(caplog: pytest.LogCaptureFixture) -> None:
    timers, done = Timers(), list[str]()
    timers.after(1, lambda: 1 // 0)  # type: ignore[arg-type]
    timers.after(2, lambda: done.append("b"))
    timers.now = 2.0
    timers.run_due()
    assert done == ["b"]
    assert "something that was due failed" in caplog.text
