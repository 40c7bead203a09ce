"""Disks for the tests of the stores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .faults import Faults


@pytest.fixture
def faults() -> Iterator[Faults]:
    """A disk that fails where the test says so; name it with `vfs=faults.vfs`."""
    disk = Faults()
    yield disk
    disk.unregister()
