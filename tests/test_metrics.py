"""Times are told within 9 %, whatever their size, and none is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat.metrics import Histogram, merge

SECONDS = st.floats(0, 60, allow_nan=False)


def test_without_any_there_is_nothing_to_tell() -> None:
    histogram = Histogram()
    assert (histogram.total, histogram.quantile(0.5), list(histogram.buckets())) == (0, 0.0, [])


@given(SECONDS)
def test_a_time_is_told_within_a_step(seconds: float) -> None:
    histogram = Histogram()
    histogram.add(seconds, 3)
    assert histogram.total == 3
    [(bound, count)] = histogram.buckets()
    assert count == 3
    for told in (histogram.quantile(0.01), histogram.quantile(1.0)):
        assert seconds - 2e-6 <= told <= seconds * 1.13 + 2e-6
        assert told <= bound


@given(st.lists(SECONDS, min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]))
def test_a_quantile_is_that_of_the_times(times: list[float], share: float) -> None:
    histogram = Histogram()
    for seconds in times:
        histogram.add(seconds)
    exact = sorted(times)[max(0, -(-round(share * 1e6 * len(times)) // 1_000_000) - 1)]
    assert exact - 2e-6 <= histogram.quantile(share) <= exact * 1.13 + 2e-6


@pytest.mark.parametrize(("seconds", "told"), [(-1.0, 0.0), (1e9, 67.1)])
def test_what_is_out_of_bounds_counts_at_the_end(seconds: float, told: float) -> None:
    histogram = Histogram()
    histogram.add(seconds)
    assert histogram.quantile(0.5) == pytest.approx(told, rel=0.13)


def test_several_are_one_together() -> None:
    one, other = Histogram(), Histogram()
    one.add(0.001, 99)
    other.add(1.0)
    both = merge((one, other))
    assert both.total == 100
    assert both.quantile(0.99) < 0.0012
    assert both.quantile(1.0) >= 1.0
    assert one.total == 99
