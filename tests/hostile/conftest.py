"""A machine for each test: the processes that it starts are ended with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from securechat import certs

from .siege import Machine


@pytest.fixture(scope="session")
def certs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates as `gen-certs` makes them."""
    folder = tmp_path_factory.mktemp("hostile") / "certs"
    certs.make(folder, now=datetime.now(UTC))
    return folder


@pytest.fixture
def machine(tmp_path: Path, certs_folder: Path) -> Iterator[Machine]:
    """Whatever is started here is ended."""
    it = Machine(tmp_path, certs_folder)
    yield it
    it.close()
