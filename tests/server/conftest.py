"""A renderer for every test of it."""

from __future__ import annotations

import pytest

from .rendering import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
