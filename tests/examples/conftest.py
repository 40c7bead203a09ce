"""The bots under examples/, each a fresh one."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from securechat import Bot

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def load() -> Callable[[str], Bot]:
    """`load("joker")`: the bot of examples/joker.py."""

    def load(name: str) -> Bot:
        bot = runpy.run_path(str(EXAMPLES / f"{name}.py"))["bot"]
        assert isinstance(bot, Bot)
        return bot

    return load
