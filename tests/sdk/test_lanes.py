"""Order within a lane, and no waiting for others."""

from __future__ import annotations

import threading
from functools import partial

from securechat.sdk.lanes import Lanes

DEADLINE = 10.0


def test_one_lane_keeps_its_order_whatever_others_do() -> None:
    lanes, done = Lanes(4, 1_000), list[tuple[str, int]]()
    for number in range(200):
        for lane in "abc":
            assert lanes.put(lane, partial(done.append, (lane, number)), DEADLINE)
    assert lanes.close(DEADLINE)
    for lane in "abc":
        assert [number for name, number in done if name == lane] == list(range(200))


def test_a_lane_that_is_stuck_holds_up_nobody_else() -> None:
    lanes, go_on, done = Lanes(2, 10), threading.Event(), list[str]()
    other = threading.Event()
    lanes.put("a", partial(go_on.wait, DEADLINE), DEADLINE)
    lanes.put("a", partial(done.append, "behind"), DEADLINE)
    lanes.put("b", other.set, DEADLINE)
    assert other.wait(DEADLINE)
    assert done == []
    go_on.set()
    assert lanes.close(DEADLINE)
    assert done == ["behind"]


def test_there_is_an_end_to_what_may_wait() -> None:
    lanes, go_on = Lanes(1, 2), threading.Event()
    lanes.put("a", partial(go_on.wait, DEADLINE), DEADLINE)
    assert lanes.put("b", go_on.is_set, DEADLINE)
    assert not lanes.put("c", go_on.is_set, 0.0)
    assert not lanes.close(0.0)
    go_on.set()
    assert lanes.close(DEADLINE)
