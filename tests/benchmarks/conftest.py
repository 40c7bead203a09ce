"""What these tests share with those of the whole server."""

from __future__ import annotations

import socket
import time

import pytest

from benchmarks.servers import free_port as find_port

from ..integration.conftest import make_world

__all__ = ["make_world"]


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    return find_port()


def await_port(port: int) -> None:
    """Wait until somebody listens there."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline, "nobody listens"
        else:
            return
