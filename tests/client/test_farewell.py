"""How long leaving waits: for a server that answers as before a moment, never for a silent one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from securechat.client.farewell import GOODBYE, LONGEST, USUAL, patience, take_leave


@pytest.mark.parametrize(
    ("lag", "seconds"), [(0.0, USUAL), (0.01, USUAL), (0.2, 0.4), (0.5, LONGEST), (30.0, LONGEST)]
)
def test_patience_goes_by_what_was_usual(lag: float, seconds: float) -> None:
    assert patience(timedelta(seconds=lag)) == seconds


def test_a_silent_server_costs_less_than_a_person_notices() -> None:
    assert USUAL + GOODBYE <= 0.25


class Client:
    def __init__(self) -> None:
        self.calls: list[object] = []

    def settle(self, timeout: float | None) -> bool:
        self.calls.append(timeout)
        return False

    def close(self, reason: str | None = None, timeout: float = 3.0) -> None:
        self.calls.append((reason, timeout))


def test_only_what_is_on_its_way_is_waited_for() -> None:
    client = Client()
    take_leave(client, None, None)
    take_leave(client, "bed", timedelta(0))
    assert client.calls == [(None, GOODBYE), USUAL, ("bed", GOODBYE)]
