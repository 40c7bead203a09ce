"""Certificates turn over under people who talk: nobody is dropped, a bad pair changes nothing."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pytest
import typer

from securechat import certs
from securechat.certs import x509
from securechat.cli.reload import reload

SERVE = [sys.executable, "-m", "securechat", "serve", "--port", "0"]


def now() -> datetime:
    return datetime.now(UTC)


def key_shown_to(wire: Any) -> str:
    return x509.key_fingerprint(x509.load_der(wire.sock.getpeercert(binary_form=True)))


@pytest.mark.parametrize("io_threads", [1, 2])
def test_new_connections_get_the_new_one_and_nobody_is_dropped(
    make_world: Callable[..., Any], tmp_path: Path, io_threads: int
) -> None:
    world = make_world(certs=tmp_path / "certs", io_threads=io_threads)
    members = [world.join(f"m{number}", "#lobby") for number in range(20)]
    keys = [key_shown_to(members[0])]
    for turn in range(5):
        made = certs.make(tmp_path / "certs", force=True, now=now())
        assert world.server.reload_certificates(now())
        for late in range(2):  # one on each io thread
            members.append(world.join(f"late{turn}{late}", "#lobby"))
            assert key_shown_to(members[-1]) == made.key_fingerprint
        keys.append(made.key_fingerprint)
        speaker = members[turn]
        echo = speaker.say("#lobby", f"turn {turn}")
        for member in members:
            member.receive_until(lambda envelope, echo=echo: envelope.get("id") == echo)
    assert len(set(keys)) == 6
    assert key_shown_to(members[0]) == keys[0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "cert.pem").write_text("no certificate"),
        lambda folder: (folder / "key.pem").unlink(),
        lambda folder: certs.make(folder, force=True, now=now() - timedelta(days=100)),
        lambda folder: (folder / "key.pem").chmod(0o644),
    ],
    ids=["no PEM", "no key", "expired", "key for all to read"],
)
def test_a_bad_pair_is_refused_with_its_reason_and_the_old_one_stays(
    make_world: Callable[..., Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], object],
) -> None:
    folder = tmp_path / "certs"
    world = make_world(certs=folder)
    ann = world.join("ann", "#lobby")
    old = world.server.certificates
    authority = (folder / "ca.pem").read_bytes()
    spoil(folder)
    assert not world.server.reload_certificates(now())
    [record] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert "the certificate stays as it was, the new one is refused: " in record.getMessage()
    assert str(folder) in record.getMessage()
    (folder / "ca.pem").write_bytes(authority)
    bob = world.join("bob", "#lobby")
    assert key_shown_to(bob) == old.key_fingerprint
    assert world.server.certificates == old
    assert ann.answer("time")["event"] == "time"


def test_once_a_day_it_is_renewed_in_time_or_warned_about(
    make_world: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "certs"
    certs.make(folder, now=now() - timedelta(days=80))
    (folder / "ca-key.pem").rename(tmp_path / "ca-key.pem")
    world = make_world(certs=folder)
    before = world.server.certificates
    caplog.clear()
    world.server.tend_certificates(now())
    assert "the certificate ends in 9 days" in caplog.text
    assert world.server.certificates == before
    (tmp_path / "ca-key.pem").rename(folder / "ca-key.pem")
    world.server.tend_certificates(now())
    assert world.server.certificates.not_after > before.not_after + timedelta(days=70)
    assert key_shown_to(world.join("ann")) == before.key_fingerprint


# ------------------------------------------------------------------ a process


class Process:
    """`securechat serve` with its log, in a session of its own.

    The first terminal that the leader of a session opens controls it (Linux: tty_ioctl(4)).
    """

    def __init__(self, folder: Path, terminal: str = os.devnull) -> None:
        command = [*SERVE, "--certs", str(folder / "certs"), "--data", str(folder / "data")]
        self.popen = subprocess.Popen(
            ["sh", "-c", f'exec "$@" <{terminal}', "sh", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.popen.stdout is not None
        assert self.popen.stderr is not None
        self.log: IO[str] = self.popen.stderr
        said = [self.popen.stdout.readline() for _ in range(3)]
        found = re.search(r":(\d+)$", said[0])
        assert found is not None
        self.port = int(found[1])

    def read_until(self, text: str) -> str:
        """The log up to a line with `text`."""
        read = ""
        while text not in read:
            line = self.log.readline()
            assert line, read
            read += line
        return read

    def close(self) -> None:
        self.popen.kill()
        self.popen.communicate()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(*terminal: str) -> Process:
        started.append(Process(tmp_path, *terminal))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.mark.slow
def test_a_signal_and_a_command_reload(
    start: Callable[..., Process],
    new_wire: Callable[..., Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "certs"
    server = start()  # no terminal, as under systemd
    server.read_until("the certificate is good for 89 days")
    made = certs.make(folder, force=True, now=now())
    server.popen.send_signal(signal.SIGHUP)
    server.read_until(f"with a new key, {made.key_fingerprint}")
    wire = new_wire(server.port, ca=str(folder / "ca.pem"))
    assert key_shown_to(wire) == made.key_fingerprint
    (folder / "cert.pem").write_text("no certificate")
    reload(tmp_path / "data")
    assert f"told process {server.popen.pid}" in capsys.readouterr().out
    server.read_until("the new one is refused")
    assert wire.hello("ann")["event"] == "welcome"
    wire.close()
    server.popen.send_signal(signal.SIGTERM)
    assert server.popen.wait(10) == 0


@pytest.mark.slow
def test_a_server_ends_with_its_terminal(start: Callable[..., Process]) -> None:
    master, slave = pty.openpty()
    server = start(os.ttyname(slave))
    os.close(slave)
    os.close(master)
    assert server.popen.wait(10) == 0
    assert "stopping" in server.log.read()


def test_nobody_to_reload(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        reload(tmp_path)
    assert caught.value.exit_code == 1
    assert f"No server runs on {tmp_path}" in capsys.readouterr().err
