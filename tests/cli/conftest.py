"""What several tests of commands share."""

from __future__ import annotations

import pytest

from securechat.config import ServerConfig
from securechat.server import app as server_app


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServerConfig]:
    """What servers would be started with."""
    configs: list[ServerConfig] = []

    def run(config: ServerConfig, **_: object) -> int:
        configs.append(config)
        return 0

    monkeypatch.setattr(server_app, "run", run)
    return configs
