"""A stage for every test of the chat."""

from __future__ import annotations

import pytest

from .stage import Stage


@pytest.fixture
def stage() -> Stage:
    """A hub with the limits of every day, and nobody there yet."""
    return Stage()
