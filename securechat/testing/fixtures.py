"""The fixture for pytest: `pytest_plugins = ["securechat.testing.fixtures"]` in a conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .server import ChatServer


@pytest.fixture
def chat_server(tmp_path: Path) -> Iterator[ChatServer]:
    """A server of its own for this test."""
    with ChatServer(tmp_path / "securechat") as server:
        yield server
