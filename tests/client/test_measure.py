"""Measuring a server from a client: the figures as values, and once the real thing."""

from __future__ import annotations

from typing import Any

import pytest

from securechat.client.measure import Report, Spread, Trial, measure, pause_between, spread_of
from securechat.client.trust import ByAuthority
from securechat.errors import CannotConnect, Refused
from securechat.server.app import ChatLimits, Server, ServerConfig


def test_a_spread_is_median_p99_and_the_most() -> None:
    assert spread_of([5.0]) == Spread(5.0, 5.0, 5.0)
    assert spread_of([float(it) for it in range(100, -1, -1)]) == Spread(50.0, 99.0, 100.0)


def test_nobody_says_more_than_half_of_what_is_allowed() -> None:
    pause = pause_between(rate=20.0, clients=10)
    assert 1 / pause / 10 == pytest.approx(10.0)
    assert pause_between(rate=0.0, clients=10) == 0.0


@pytest.fixture
def server(certificates: Any, request: pytest.FixtureRequest) -> Any:
    limits = ChatLimits(**getattr(request, "param", {}))
    server = Server(ServerConfig(port=0, certs=certificates.directory, limits=limits))
    server.start()
    yield server
    server.stop()


def trial_of(server: Server, certificates: Any, **more: Any) -> Trial:
    port = server.addresses[0][1]
    return Trial(host="localhost", port=port, trust=ByAuthority(certificates.ca), **more)


def test_every_message_is_timed_for_everyone(server: Server, certificates: Any) -> None:
    seen: list[float] = []
    trial = trial_of(server, certificates, clients=4, seconds=0.3)
    report = measure(trial, lambda done, _: seen.append(done))
    count = len(report.everyone)
    assert len(report.connecting) == 4
    assert len(report.echo) == count
    assert len(report.fan_out) == 3 * count
    assert all(took > 0 for took in report.everyone)
    # Half of 20 a second for each of the four, for 0.3 s.
    assert 1 <= count <= 13
    assert seen == sorted(seen)
    assert 0.0 < seen[-1] <= 1.0
    assert report.server.startswith("securechat ")


@pytest.mark.parametrize("server", [{"connections": 2}], indirect=True)
def test_a_server_that_is_full_refuses(server: Server, certificates: Any) -> None:
    with pytest.raises(Refused):
        measure(trial_of(server, certificates, clients=4, seconds=0.1), lambda *_: None)


def test_nobody_there(certificates: Any) -> None:
    trial = Trial(host="127.0.0.1", port=1, trust=ByAuthority(certificates.ca))
    with pytest.raises(CannotConnect):
        measure(trial, lambda *_: None)


def test_a_report_begins_empty() -> None:
    assert Report().echo == []
