"""What all tests share: throw-away certificates, the rule that nothing is left running, figures."""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from hypothesis import HealthCheck, settings

# How long an example takes says more about what else the machine does than about the example.
settings.register_profile("patient", deadline=None, suppress_health_check=(HealthCheck.too_slow,))
settings.load_profile("patient")

#: What a test calls a line for a person among its properties (`record_property`).
FIGURE = "figure"
#: How long a thread or a socket that is on its way out may take, seconds.
_PATIENCE = 5.0


def _open_sockets() -> set[str]:
    links = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            link = os.readlink(entry)  # noqa: PTH115 - a descriptor that is just closing may vanish
        except OSError:
            continue
        if link.startswith("socket:"):
            links.add(link)
    return links


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    """Fail a test that leaves a thread or a socket behind."""
    threads = set(threading.enumerate())
    sockets = _open_sockets()
    yield
    deadline = time.monotonic() + _PATIENCE
    while True:
        left_threads = {t for t in threading.enumerate() if t.is_alive()} - threads
        left_sockets = _open_sockets() - sockets
        if not left_threads and not left_sockets:
            return
        if time.monotonic() > deadline:
            pytest.fail(f"left behind: threads {left_threads}, sockets {left_sockets}")
        gc.collect()
        time.sleep(0.01)


@pytest.fixture(scope="session", autouse=True)
def nobody_is_known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what this user knows and has chosen out of the tests, and the other way round."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        for name in [one for one in os.environ if one.startswith("SECURECHAT_")]:
            patch.delenv(name)
        # A worker of pytest-xdist is told the size of the terminal outside, which holds for none
        # that a test opens: who believes it never sees a new size.
        for name in ("COLUMNS", "LINES"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def signals_mean_something() -> None:
    """Undo `nohup` and a shell's `&`: what is ignored would be ignored by all we start, too."""
    for number, handler in (
        (signal.SIGHUP, signal.SIG_DFL),
        (signal.SIGINT, signal.default_int_handler),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


class Certificates:
    """A folder with `ca.pem`, `cert.pem` and `key.pem`, made by another library than ours."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.ca = directory / "ca.pem"
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        leaf = authority.issue_cert("localhost", "127.0.0.1", "::1", key_type=trustme.KeyType.ECDSA)
        authority.cert_pem.write_to_path(str(self.ca))
        leaf.cert_chain_pems[0].write_to_path(str(directory / "cert.pem"))
        key = directory / "key.pem"
        key.touch(0o600)
        leaf.private_key_pem.write_to_path(str(key))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates that nobody keeps."""
    return Certificates(tmp_path_factory.mktemp("certs"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of all tests: reports bring them here from whatever process measured."""
    figures = [
        line
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, line in report.user_properties
        if name == FIGURE
    ]
    if figures:
        terminalreporter.section("figures")
        for line in figures:
            terminalreporter.line(str(line))
